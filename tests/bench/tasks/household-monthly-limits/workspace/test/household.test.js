"use strict";

const assert = require("node:assert/strict");
const test = require("node:test");

const { parseCsv } = require("../lib/csv");
const { formatAmount, parseAmount } = require("../lib/money");
const { readStatement } = require("../lib/bookings");
const { categoryOf, parseRules } = require("../lib/rules");
const { run } = require("..");

const STATEMENT = `Date;Text;Amount
2.3.2024;"Bakery ""Sun""; bread";-4,20
1.3.2024;Salary;2.500,00
15.3.2024;Rent March;-900,00
1.4.2024;Super Market;-35,5
`;
const RULES = `# what belongs where
food: bakery, market
home: rent
`;

test("csv", () => {
  assert.deepEqual(parseCsv('a;"b;""c"""\r\nd;e\r\n'), [["a", 'b;"c"'], ["d", "e"]]);
});

test("money", () => {
  assert.equal(parseAmount("-1.234,5"), -123450);
  assert.equal(formatAmount(-123450), "-1.234,50");
  assert.equal(formatAmount(5), "0,05");
  assert.throws(() => parseAmount("12.5"));
});

test("bookings are in order", () => {
  assert.deepEqual(readStatement(STATEMENT).map(({ date }) => date), ["2024-03-01", "2024-03-02", "2024-03-15", "2024-04-01"]);
});

test("rules", () => {
  assert.equal(categoryOf({ text: "SUPER MARKET" }, parseRules(RULES)), "food");
  assert.equal(categoryOf({ text: "Salary" }, parseRules(RULES)), "other");
});

test("report", () => {
  assert.equal(
    run(STATEMENT, RULES),
    `2024-03
  food                   -4,20
  home                 -900,00
  other               2.500,00
  sum                 1.595,80
2024-04
  food                  -35,50
  sum                   -35,50`,
  );
});
