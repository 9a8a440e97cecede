import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
const require = createRequire(pathToFileURL("x.js"));

import fs from "node:fs";
import path from "node:path";
assert.equal(fs.readFileSync("vendor/table.js", "utf8"), fs.readFileSync(path.join(process.env.KAAJ_TASK, "workspace/vendor/table.js"), "utf8"));
for (const name of fs.readdirSync("lib")) {
  assert.doesNotMatch(fs.readFileSync(`lib/${name}`, "utf8"), /table\.(parse|pad|padLeft)\b/, name);
}
const { readStatement } = require("./lib/bookings");
const { categoryOf, parseRules } = require("./lib/rules");
const { run } = require(".");
assert.deepEqual(readStatement(""), []);
assert.deepEqual(readStatement("Date;Text;Amount\n"), []);
assert.deepEqual(readStatement("Date;Text;Amount\r\n 2.3.2024 ; Rent, March ; -9,00 \r\n1.3.2024;Tea;-1"), [
  { date: "2024-03-01", text: "Tea", cents: -100 },
  { date: "2024-03-02", text: "Rent, March", cents: -900 },
]);
assert.deepEqual(parseRules("food: Bakery,  Super Market ,,\nnone:\nhome: rent"), [
  { category: "food", words: ["bakery", "super market"] },
  { category: "none", words: [] },
  { category: "home", words: ["rent"] },
]);
assert.equal(categoryOf({ text: "the SUPER market" }, parseRules("food:  super market ")), "food");
assert.equal(run("Date;Text;Amount\n1.12.2023;Gift; 1.000,10\n2.12.2023;Rent;-5\n", "home: rent"), "2023-12\n  home                   -5,00\n  other               1.000,10\n  sum                   995,10");
console.log("solved");
