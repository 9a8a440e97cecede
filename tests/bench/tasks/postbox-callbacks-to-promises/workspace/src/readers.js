/** Who gets letters. */
export class Readers {
  constructor(keep) {
    this.keep = keep;
  }

  /** callback(error, isNew) */
  subscribe(address, callback) {
    const key = `reader:${address.trim().toLowerCase()}`;
    this.keep.get(key, (error, known) => {
      if (error) return callback(error);
      if (known) return callback(null, false);
      this.keep.put(key, { address: address.trim() }, (error) => {
        if (error) return callback(error);
        callback(null, true);
      });
    });
  }

  /** callback(error, wasThere) */
  unsubscribe(address, callback) {
    const key = `reader:${address.trim().toLowerCase()}`;
    this.keep.get(key, (error, known) => {
      if (error) return callback(error);
      if (!known) return callback(null, false);
      this.keep.del(key, (error) => callback(error, error ? undefined : true));
    });
  }

  /** callback(error, addresses), in the order of the keys */
  all(callback) {
    this.keep.list("reader:", (error, keys) => {
      if (error) return callback(error);
      const addresses = [];
      const next = (index) => {
        if (index === keys.length) return callback(null, addresses);
        this.keep.get(keys[index], (error, reader) => {
          if (error) return callback(error);
          if (reader) addresses.push(reader.address);
          next(index + 1);
        });
      };
      next(0);
    });
  }
}
