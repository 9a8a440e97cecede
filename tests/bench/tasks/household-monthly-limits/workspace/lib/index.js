"use strict";

const { readStatement } = require("./bookings");
const { parseRules } = require("./rules");
const { monthlyReport } = require("./report");

function run(statement, rules) {
  return monthlyReport(readStatement(statement), parseRules(rules));
}

module.exports = { run };
