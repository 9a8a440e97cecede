import assert from "node:assert/strict";
import test from "node:test";

import { Showing } from "../src/booking.js";
import { formatCents, priceOn, seatPrice } from "../src/prices.js";
import { findTogether, Hall, parseSeat, SeatError } from "../src/seats.js";
import { ticketLines } from "../src/ticket.js";

const hall = new Hall("Lumen", [4, 6, 6, 8]);
const friday = new Date("2024-03-01T20:15:00Z");
const tuesday = new Date("2024-03-05T18:00:00Z");

test("seats", () => {
  assert.deepEqual(parseSeat("C7"), { row: 2, number: 7 });
  assert.throws(() => parseSeat("C0"), SeatError);
  assert.equal(hall.capacity, 24);
  assert.equal(hall.has("A4"), true);
  assert.equal(hall.has("A5"), false);
  assert.equal(hall.has("E1"), false);
  assert.equal([...hall.seats()].length, 24);
});

test("together", () => {
  assert.deepEqual(findTogether(hall, new Set(), 3), ["C1", "C2", "C3"]);
  assert.deepEqual(findTogether(hall, new Set(["C2", "C5"]), 3), ["B1", "B2", "B3"]);
  assert.equal(findTogether(hall, new Set(), 9), null);
});

test("prices", () => {
  assert.equal(seatPrice(hall, "A1", "adult"), 1200);
  assert.equal(seatPrice(hall, "D1", "child"), 950);
  assert.equal(priceOn(friday, hall, "A1", "student"), 900);
  assert.equal(priceOn(tuesday, hall, "A1", "student"), 675);
  assert.equal(formatCents(1205), "12.05");
});

test("booking", () => {
  const showing = new Showing("Metropolis", hall, friday);
  const booking = showing.book("Ada", [{ seat: "A1", kind: "adult" }, { seat: "A2", kind: "child" }]);
  assert.equal(booking.total, 1900);
  assert.equal(showing.free, 22);
  assert.throws(() => showing.book("Tim", [{ seat: "A3", kind: "adult" }, { seat: "A2", kind: "adult" }]), SeatError);
  assert.equal(showing.free, 22);
  showing.cancel(booking.number);
  assert.equal(showing.free, 24);
});

test("ticket", () => {
  const showing = new Showing("Metropolis", hall, friday);
  const booking = showing.bookTogether("Ada", ["adult", "adult"]);
  assert.deepEqual(ticketLines(showing, booking), [
    "Metropolis",
    "Lumen, Fri 01.03. 20:15",
    "C1 C2",
    "No. 1 Ada: 29.00",
  ]);
});
