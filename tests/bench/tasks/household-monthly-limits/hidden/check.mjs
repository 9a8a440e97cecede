import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
const require = createRequire(pathToFileURL("x.js"));

import { spawnSync } from "node:child_process";
import fs from "node:fs";
const { overrunLines, overruns, parseLimits } = require("./lib/limits");
const { parseRules } = require("./lib/rules");
const { readStatement } = require("./lib/bookings");
const { run } = require(".");
assert.deepEqual([...parseLimits("# x\n\nfood: 350,00\r\n a: b : 1.000,5 \nfun:0\n")], [["food", 35000], ["a: b", 100050], ["fun", 0]]);
assert.equal(parseLimits("").size, 0);
for (const [text, message] of [["350", "no category in: 350"], [": 5", "no category in: : 5"], ["food: -1", "a limit below 0: food: -1"], ["food: 1\nx: 2\nfood: 3", "two limits for food"]]) {
  assert.throws(() => parseLimits(text), (error) => error.message === message, text);
}
assert.throws(() => parseLimits("food: many"));
const statement = "Date;Text;Amount\n5.4.2024;Rent;-900\n1.3.2024;Bakery;-300\n2.3.2024;Bakery;-70\n3.3.2024;Bakery refund;20,00\n1.4.2024;Bakery;-1.000\n2.4.2024;Kino;-0,01\n1.2.2024;Bakery;-350\n3.2.2024;Kino;5\n";
const rulesText = "food: bakery\nhome: rent\nfun: kino\n";
const rules = parseRules(rulesText);
const bookings = readStatement(statement);
const limits = parseLimits("food: 350\nfun: 0\nhome: 899,99\nnothing: 0");
assert.deepEqual(overruns(bookings, rules, limits), [
  { month: "2024-04", category: "food", spent: 100000, limit: 35000, over: 65000 },
  { month: "2024-04", category: "fun", spent: 1, limit: 0, over: 1 },
  { month: "2024-04", category: "home", spent: 90000, limit: 89999, over: 1 },
]);
assert.deepEqual(overruns([...bookings].reverse(), rules, parseLimits("food: 349,99")).map(({ month, over }) => [month, over]), [["2024-02", 1], ["2024-03", 1], ["2024-04", 65001]]);
assert.deepEqual(overruns([], rules, limits), []);
assert.deepEqual(overrunLines(overruns(bookings, rules, parseLimits("home: 12,5"))), ["2024-04 home: 887,50 over 12,50"]);
assert.deepEqual(overrunLines([]), []);
const plain = run(statement, rulesText);
assert.match(plain, /^2024-02\n/);
assert.equal(run(statement, rulesText, undefined), plain);
assert.equal(run(statement, rulesText, ""), plain);
assert.equal(run(statement, rulesText, "home: 900\n"), plain);
assert.equal(run(statement, rulesText, "home: 12,5\n"), `${plain}\n\n2024-04 home: 887,50 over 12,50`);
try {
  const done = spawnSync("node", ["scripts/build.js"], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
  assert.equal(require("./dist/household.js").run(statement, rulesText, "home: 12,5"), `${plain}\n\n2024-04 home: 887,50 over 12,50`);
} finally {
  fs.rmSync("dist", { recursive: true, force: true });
}
console.log("solved");
