"use strict";

/**
 * table 3.0
 *
 * Changes from 2.x:
 *  - parse(text, separator) -> read(text, { separator, header }); header: true gives objects.
 *  - Fields are no longer trimmed; pass { trim: true } for the old behaviour.
 *  - pad(text, width) and padLeft(text, width) are one function now: align(text, width, side) with side "left" or "right":
 *    the side on which the text stands (pad -> "left", padLeft -> "right").
 *  - 2.x returned null where there was nothing to read; 3.0 returns [].
 */
function read(text, { separator = ",", header = false, trim = false } = {}) {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  const rows = lines.map((line) => line.split(separator).map((field) => (trim ? field.trim() : field)));
  if (!header) {
    return rows;
  }
  const [names = [], ...rest] = rows;
  return rest.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? ""])));
}

function align(text, width, side) {
  if (side !== "left" && side !== "right") {
    throw new TypeError(`align: side is ${side}`);
  }
  return side === "left" ? text.padEnd(width) : text.padStart(width);
}

module.exports = { read, align, version: "3.0.1" };
