/** Prices in cents. */
import { parseSeat } from "./seats.js";

export const PRICES = { adult: 1200, student: 900, child: 700 };
export const BALCONY_EXTRA = 250;
export const CHEAP_WEEKDAY = 2;
export const CHEAP_PERCENT = 25;

/** The last two rows are the balcony. */
export function isBalcony(hall, seat) {
  return parseSeat(seat).row >= hall.rows.length - 2;
}

export function seatPrice(hall, seat, kind) {
  if (!(kind in PRICES)) {
    throw new RangeError(`no price for ${kind}`);
  }
  return PRICES[kind] + (isBalcony(hall, seat) ? BALCONY_EXTRA : 0);
}

/** A quarter off on Tuesdays, but not on the balcony's extra. Whole cents, rounded down. */
export function priceOn(date, hall, seat, kind) {
  const full = seatPrice(hall, seat, kind);
  if (date.getUTCDay() !== CHEAP_WEEKDAY) {
    return full;
  }
  return full - Math.ceil((PRICES[kind] * CHEAP_PERCENT) / 100);
}

export function formatCents(cents) {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}
