import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
const require = createRequire(pathToFileURL("x.js"));

import fs from "node:fs";
import { spawnSync } from "node:child_process";
const { isoDate, readStatement } = require("./lib/bookings");
for (const [text, iso] of [["1.3.2024", "2024-03-01"], ["01.03.2024", "2024-03-01"], ["29.2.2024", "2024-02-29"], ["31.12.1999", "1999-12-31"], ["29.2.2000", "2000-02-29"], ["1.1.0099", "0099-01-01"], ["30.4.2024", "2024-04-30"]]) {
  assert.equal(isoDate(text), iso);
}
for (const text of ["", ".", "1.3", "1.3.24", "1.3.20244", "30.2.2024", "29.2.2023", "29.2.1900", "31.4.2024", "1.13.2024", "1.0.2024", "0.1.2024", "32.1.2024", "2024-03-01", " 1.3.2024", "1.3.2024\n", "001.3.2024", "a.b.cdef", "1.3.2024.5", "-1.3.2024", "1. 3.2024"]) {
  assert.throws(() => isoDate(text), (error) => error instanceof RangeError && error.message.includes(JSON.stringify(text)), JSON.stringify(text));
}
assert.throws(() => readStatement("Date;Text;Amount\n31.6.2024;x;1\n"), RangeError);
assert.equal(readStatement("Date;Text;Amount\n30.6.2024;x;1\n")[0].date, "2024-06-30");
const run = () => spawnSync("node", ["test/dates.test.js"], { encoding: "utf8" });
assert.equal(run().status, 0, "the new tests fail");
const source = fs.readFileSync("lib/bookings.js", "utf8");
try {
  fs.appendFileSync("lib/bookings.js", '\nmodule.exports.isoDate = (text) => { const [day, month, year] = text.split("."); return `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`; };\n');
  assert.notEqual(run().status, 0, "the new tests do not notice when the validation is gone");
} finally {
  fs.writeFileSync("lib/bookings.js", source);
}
console.log("solved");
