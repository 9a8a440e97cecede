import { formatCents } from "./prices.js";

const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

export function formatStart(date) {
  const two = (number) => String(number).padStart(2, "0");
  const day = `${WEEKDAYS[date.getUTCDay()]} ${two(date.getUTCDate())}.${two(date.getUTCMonth() + 1)}.`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** What the printer at the door gets, as lines. */
export function ticketLines(showing, booking) {
  return [
    showing.film,
    `${showing.hall.name}, ${formatStart(showing.start)}`,
    booking.seats.map(({ seat }) => seat).join(" "),
    `No. ${booking.number} ${booking.name}: ${formatCents(booking.total)}`,
  ];
}
