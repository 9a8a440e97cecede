import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (path) => import(pathToFileURL(path));
const { formatCents } = await load("src/prices.js");
const { Hall } = await load("src/seats.js");
const { Showing } = await load("src/booking.js");
const { ticketLines } = await load("src/ticket.js");
assert.equal(formatCents(1205), "12.05");
assert.equal(formatCents(1205, ","), "12,05");
assert.equal(formatCents(7, " € "), "0 € 07");
assert.equal(formatCents(100000, ","), "1000,00");
const showing = new Showing("M. Hulot", new Hall("Lumen 1.2", [4, 6, 6, 8]), new Date("2024-03-05T20:15:00Z"));
const booking = showing.book("J. Tati", [{ seat: "A1", kind: "student" }]);
const first = ["M. Hulot", "Lumen 1.2, Tue 05.03. 20:15", "A1"];
assert.deepEqual(ticketLines(showing, booking), [...first, "No. 1 J. Tati: 6.75"]);
assert.deepEqual(ticketLines(showing, booking, {}), [...first, "No. 1 J. Tati: 6.75"]);
assert.deepEqual(ticketLines(showing, booking, { point: "," }), [...first, "No. 1 J. Tati: 6,75"]);
console.log("solved");
