import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
const require = createRequire(pathToFileURL("x.js"));

const { formatAmount, parseAmount } = require("./lib/money");
for (const [text, cents] of [["35,5", 3550], ["-35,5", -3550], ["35,05", 3505], ["35,50", 3550], ["0,9", 90], ["0,09", 9], ["7", 700], ["+7,0", 700], ["1.234.567,8", 123456780], ["-0,1", -10]]) {
  assert.equal(parseAmount(text), cents, text);
}
for (const text of ["", "12.5", "1,234.5", "1.23,4", "12,345", ",5", "1,", "--1", "1.2345"]) {
  assert.throws(() => parseAmount(text), undefined, text);
}
for (const cents of [0, 5, -5, 10, -1005, 99999, 100000, 123456789]) {
  assert.equal(parseAmount(formatAmount(cents)), cents);
}
console.log("solved");
