import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
const require = createRequire(pathToFileURL("x.js"));

const { readStatement } = require("./lib/bookings");
const { byMonth, monthlyReport } = require("./lib/report");
const { run } = require(".");
const [booking] = readStatement("Date;Text;Amount\n1.3.2024;Tea;-1,50\n");
assert.deepEqual(booking, { date: "2024-03-01", text: "Tea", amount: -150 });
const bookings = [{ date: "2024-03-01", text: "Tea", amount: 5 }, { date: "2024-03-02", text: "tea", amount: 6 }];
assert.equal(byMonth(bookings, []).get("2024-03").get("other"), 11);
assert.equal(monthlyReport(bookings, []), "2024-03\n  other                   0,11\n  sum                     0,11");
assert.equal(run("Date;Text;Amount\n1.3.2024;Tea;-1,50\n", "a: tea"), "2024-03\n  a                      -1,50\n  sum                    -1,50");
const money = require("./lib/money");
assert.equal(money.formatAmount(money.parseAmount("-1.000,01")), "-1.000,01");
console.log("solved");
