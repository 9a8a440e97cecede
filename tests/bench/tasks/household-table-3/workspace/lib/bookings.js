"use strict";

const table = require("../vendor/table");
const { parseAmount } = require("./money");

/** A statement as bookings {date: "2024-03-01", text, cents}, the oldest first. */
function readStatement(text) {
  const rows = table.parse(text, ";");
  if (rows === null) {
    return [];
  }
  const bookings = rows.slice(1).map(([date, what, amount]) => ({
    date: isoDate(date),
    text: what,
    cents: parseAmount(amount),
  }));
  return bookings.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

/** "1.3.2024" as "2024-03-01". */
function isoDate(text) {
  const [day, month, year] = text.split(".");
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

module.exports = { readStatement, isoDate };
