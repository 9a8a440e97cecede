"use strict";

const { formatAmount } = require("./money");
const { categoryOf } = require("./rules");

/** Sums by month and category: Map month -> Map category -> cents. */
function byMonth(bookings, rules) {
  const months = new Map();
  for (const booking of bookings) {
    const month = booking.date.slice(0, 7);
    if (!months.has(month)) {
      months.set(month, new Map());
    }
    const sums = months.get(month);
    const category = categoryOf(booking, rules);
    sums.set(category, (sums.get(category) ?? 0) + booking.cents);
  }
  return months;
}

/** The report as text: the categories of a month by name, its sum last. */
function monthlyReport(bookings, rules) {
  const lines = [];
  for (const [month, sums] of byMonth(bookings, rules)) {
    lines.push(month);
    let total = 0;
    for (const category of [...sums.keys()].sort()) {
      lines.push(`  ${category.padEnd(16)}${formatAmount(sums.get(category)).padStart(12)}`);
      total += sums.get(category);
    }
    lines.push(`  ${"sum".padEnd(16)}${formatAmount(total).padStart(12)}`);
  }
  return lines.join("\n");
}

module.exports = { byMonth, monthlyReport };
