import assert from "node:assert/strict";
import test from "node:test";

import { Queue } from "../src/queue.js";
import { Readers } from "../src/readers.js";
import { Keep } from "../vendor/keep.js";

test("readers", async () => {
  const readers = new Readers(new Keep());
  assert.equal(await readers.subscribe(" Ada@example.org "), true);
  assert.equal(await readers.subscribe("ada@example.org"), false);
  assert.deepEqual(await readers.all(), ["Ada@example.org"]);
  assert.equal(await readers.unsubscribe("ADA@example.org"), true);
  assert.equal(await readers.unsubscribe("ada@example.org"), false);
});

test("queue", async () => {
  const queue = new Queue(new Keep());
  await queue.readers.subscribe("b@example.org");
  await queue.readers.subscribe("a@example.org");
  assert.equal(await queue.publish(7, "hello"), 2);
  const seen = [];
  const send = async (to, text) => {
    if (to.startsWith("a")) throw new Error("mailbox full");
    seen.push(`${to} ${text}`);
  };
  assert.deepEqual(await queue.work(send), { sent: 1, failed: 1 });
  assert.deepEqual(seen, ["b@example.org hello"]);
});
