"use strict";

/** "1.234,50" or "-12" (German style) in cents. */
function parseAmount(text) {
  const match = /^([+-]?)(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?$/.exec(text.trim());
  if (!match) {
    throw new Error(`not an amount: ${JSON.stringify(text)}`);
  }
  const [, sign, whole, rest = ""] = match;
  const cents = Number(whole.replaceAll(".", "")) * 100 + Number(rest.padEnd(2, "0"));
  return sign === "-" ? -cents : cents;
}

/** Cents as "-1.234,50". */
function formatAmount(cents) {
  const digits = String(Math.abs(cents)).padStart(3, "0");
  const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ".");
  return `${cents < 0 ? "-" : ""}${whole},${digits.slice(-2)}`;
}

module.exports = { parseAmount, formatAmount };
