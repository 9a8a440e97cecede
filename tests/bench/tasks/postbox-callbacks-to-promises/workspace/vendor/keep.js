/**
 * keep 2.0: a small store of records by key.
 *
 * New in 2.0: everything returns a promise; there are no callbacks any more (a function as the last argument is refused).
 *   1.x                                   2.0
 *   keep.get(key, (error, value) => ...)  await keep.get(key)          a key that is not there: undefined, no error
 *   keep.put(key, value, (error) => ...)  await keep.put(key, value)
 *   keep.del(key, (error) => ...)         await keep.delete(key)       true where there was something
 *   keep.list(prefix, (error, keys)...)   for await (const key of keep.keys(prefix))   sorted
 */
export class Keep {
  #records = new Map();
  #fail;

  /** @param {(what: string, key: string) => void} [fail] throws where an operation should fail (for tests) */
  constructor(fail = () => {}) {
    this.#fail = fail;
  }

  async #enter(what, key, rest) {
    if (rest.some((one) => typeof one === "function")) {
      throw new TypeError(`keep 2.0 takes no callbacks (${what})`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    this.#fail(what, key);
  }

  async get(key, ...rest) {
    await this.#enter("get", key, rest);
    const text = this.#records.get(key);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async put(key, value, ...rest) {
    await this.#enter("put", key, rest);
    this.#records.set(key, JSON.stringify(value));
  }

  async delete(key, ...rest) {
    await this.#enter("delete", key, rest);
    return this.#records.delete(key);
  }

  async *keys(prefix = "", ...rest) {
    await this.#enter("keys", prefix, rest);
    for (const key of [...this.#records.keys()].filter((one) => one.startsWith(prefix)).sort()) {
      yield key;
    }
  }
}
