"use strict";

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
    const words = line.slice(at + 1).split(",").map((word) => word.trim().toLowerCase()).filter(Boolean);
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
