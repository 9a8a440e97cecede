"use strict";

const { parseTable } = require("./csv");
const { parseAmount } = require("./money");

/** A statement as bookings {date: "2024-03-01", text, cents}, the oldest first. */
function readStatement(text) {
  const bookings = parseTable(text).map((row) => ({
    date: isoDate(row.Date),
    text: row.Text,
    cents: parseAmount(row.Amount),
  }));
  return bookings.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

/** "1.3.2024" as "2024-03-01". */
function isoDate(text) {
  const [day, month, year] = text.split(".");
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

module.exports = { readStatement, isoDate };
