"use strict";

/** "1.3.2024" as "2024-03-01". */
function isoDate(text) {
  const [day, month, year] = text.split(".");
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

module.exports = { isoDate };
