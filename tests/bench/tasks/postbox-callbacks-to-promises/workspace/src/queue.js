import { Readers } from "./readers.js";

/** Letters that wait to be sent: one record per letter and reader. */
export class Queue {
  constructor(keep) {
    this.keep = keep;
    this.readers = new Readers(keep);
  }

  /** Puts a letter into the queue for every reader. callback(error, count) */
  publish(number, text, callback) {
    this.readers.all((error, addresses) => {
      if (error) return callback(error);
      const next = (index) => {
        if (index === addresses.length) return callback(null, addresses.length);
        const key = `queue:${String(number).padStart(4, "0")}:${addresses[index].toLowerCase()}`;
        this.keep.put(key, { to: addresses[index], text }, (error) => {
          if (error) return callback(error);
          next(index + 1);
        });
      };
      next(0);
    });
  }

  /**
   * Sends what waits, oldest letter first; what was sent leaves the queue, what could not be sent stays.
   * send(to, text, callback(error)); callback(error, {sent, failed})
   */
  work(send, callback) {
    this.keep.list("queue:", (error, keys) => {
      if (error) return callback(error);
      const result = { sent: 0, failed: 0 };
      const next = (index) => {
        if (index === keys.length) return callback(null, result);
        this.keep.get(keys[index], (error, letter) => {
          if (error) return callback(error);
          send(letter.to, letter.text, (error) => {
            if (error) {
              result.failed++;
              return next(index + 1);
            }
            this.keep.del(keys[index], (error) => {
              if (error) return callback(error);
              result.sent++;
              next(index + 1);
            });
          });
        });
      };
      next(0);
    });
  }
}
