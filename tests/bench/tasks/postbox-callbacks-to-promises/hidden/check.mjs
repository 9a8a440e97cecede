import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (path) => import(pathToFileURL(path));
import { readFileSync } from "node:fs";
const root = `${process.env.KAAJ_TASK}/workspace/`;
assert.equal(readFileSync("vendor/keep.js", "utf8"), readFileSync(root + "vendor/keep.js", "utf8"), "vendor/keep.js changed");
for (const name of ["src/readers.js", "src/queue.js"]) {
  const code = readFileSync(name, "utf8").replace(/\/\*[^]*?\*\/|\/\/.*/g, "");
  assert.doesNotMatch(code, /callback|new Promise|\.then\(/, `${name} is not quite there`);
}
const { Keep } = await load("vendor/keep.js");
const { Readers } = await load("src/readers.js");
const { Queue } = await load("src/queue.js");
{
  const readers = new Readers(new Keep());
  assert.equal(await readers.subscribe(" Zoe@x.org"), true);
  assert.equal(await readers.subscribe("bo@x.org "), true);
  assert.equal(await readers.subscribe("BO@X.org"), false);
  assert.deepEqual(await readers.all(), ["bo@x.org", "Zoe@x.org"]);
  assert.equal(await readers.unsubscribe("nobody@x.org"), false);
  assert.equal(await readers.unsubscribe(" BO@x.org"), true);
  assert.deepEqual(await readers.all(), ["Zoe@x.org"]);
}
{
  const keep = new Keep();
  const queue = new Queue(keep);
  assert.equal(await queue.publish(1, "none"), 0);
  for (const name of ["c", "a", "B"]) await queue.readers.subscribe(`${name}@x.org`);
  assert.equal(await queue.publish(12, "new"), 3);
  assert.equal(await queue.publish(2, "old"), 3);
  let busy = 0;
  const seen = [];
  const send = async (to, text) => {
    assert.equal(busy++, 0, "two at the same time");
    await new Promise((resolve) => setTimeout(resolve, 1));
    busy--;
    seen.push(`${to} ${text}`);
    if (to === "B@x.org") throw new Error("full");
  };
  assert.deepEqual(await queue.work(send), { sent: 4, failed: 2 });
  assert.deepEqual(seen, ["a@x.org old", "B@x.org old", "c@x.org old", "a@x.org new", "B@x.org new", "c@x.org new"]);
  const left = [];
  for await (const key of keep.keys("queue:")) left.push(key);
  assert.deepEqual(left, ["queue:0002:b@x.org", "queue:0012:b@x.org"]);
  assert.deepEqual(await queue.work(async () => {}), { sent: 2, failed: 0 });
  assert.deepEqual(await queue.work(send), { sent: 0, failed: 0 });
}
for (const [what, act] of [
  ["get", (queue) => queue.readers.subscribe("x@x.org")],
  ["put", (queue) => queue.readers.subscribe("x@x.org")],
  ["keys", (queue) => queue.readers.all()],
  ["get", (queue) => queue.readers.all()],
  ["put", (queue) => queue.publish(3, "x")],
  ["keys", (queue) => queue.work(async () => {})],
  ["get", (queue) => queue.work(async () => {})],
  ["delete", (queue) => queue.work(async () => {})],
]) {
  let broken = "";
  const queue = new Queue(new Keep((now) => { if (now === broken) throw new Error(`disk: ${now}`); }));
  await queue.readers.subscribe("a@x.org");
  await queue.publish(1, "x");
  broken = what;
  await assert.rejects(async () => act(queue), new RegExp(`disk: ${what}`), what);
}
console.log("solved");
