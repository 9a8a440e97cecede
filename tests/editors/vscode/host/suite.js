// @ts-check
// A few words for tests that run inside of the extension host. VS Code calls `run` of the file that it is given.
const fs = require("node:fs");

const SECONDS = 20;

/** @typedef {{ name: string, body: () => Promise<void> }} Test */

/** @type {Test[]} */
const tests = [];

/** @param {string} name @param {() => Promise<void>} body */
exports.test = (name, body) => {
  tests.push({ name, body });
};

/**
 * Look again and again until it is something true, and return that.
 * @template T
 * @param {string} what @param {() => T | Promise<T>} look
 * @returns {Promise<NonNullable<T>>}
 */
exports.until = async (what, look, seconds = SECONDS) => {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) throw new Error(`never: ${what} (last seen: ${JSON.stringify(value)})`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};

/** Run them one after another; what came out is written to $KAAJ_HOST_RESULTS, as [{name, error?, ms}]. */
exports.runAll = async () => {
  const place = process.env.KAAJ_HOST_RESULTS;
  if (!place) throw new Error("KAAJ_HOST_RESULTS does not say where to write to");
  /** @type {{ name: string, error?: string, ms: number }[]} */
  const results = [];
  for (const { name, body } of tests) {
    const began = Date.now();
    /** @type {string | undefined} */
    let error;
    try {
      await body();
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    results.push({ name, error, ms: Date.now() - began });
    fs.writeFileSync(place, JSON.stringify(results, undefined, 1));
  }
  const failed = results.filter(({ error }) => error !== undefined);
  if (failed.length > 0) throw new Error(`${failed.length} failed`);
};
