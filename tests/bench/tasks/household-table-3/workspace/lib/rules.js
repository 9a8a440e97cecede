"use strict";

const table = require("../vendor/table");

/** Rules are lines "category: word, word"; the first rule of which a word is in the booking's text wins. */
function parseRules(text) {
  const rules = [];
  for (const line of text.split(/\r?\n/)) {
    if (!line.trim() || line.startsWith("#")) {
      continue;
    }
    const at = line.indexOf(":");
    if (at < 0) {
      throw new Error(`no category in: ${line}`);
    }
    const found = table.parse(line.slice(at + 1).toLowerCase(), ",");
    const words = found === null ? [] : found[0].filter(Boolean);
    rules.push({ category: line.slice(0, at).trim(), words });
  }
  return rules;
}

function categoryOf(booking, rules) {
  const text = booking.text.toLowerCase();
  const rule = rules.find(({ words }) => words.some((word) => text.includes(word)));
  return rule ? rule.category : "other";
}

module.exports = { parseRules, categoryOf };
