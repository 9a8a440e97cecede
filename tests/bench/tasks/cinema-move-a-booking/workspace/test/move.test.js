import assert from "node:assert/strict";
import test from "node:test";

import { Showing } from "../src/booking.js";
import { Hall, SeatError } from "../src/seats.js";

test("a booking moves", () => {
  const showing = new Showing("M", new Hall("Lumen", [4, 6, 6, 8]), new Date("2024-03-01T20:15:00Z"));
  const { number } = showing.book("Ada", [{ seat: "A1", kind: "adult" }]);
  assert.equal(showing.move(number, ["D1"]).total, 1450);
  assert.deepEqual([...showing.taken], ["D1"]);
});

test("two guests swap", () => {
  const showing = new Showing("M", new Hall("Lumen", [4]), new Date(0));
  const { number } = showing.book("Ada", [{ seat: "A1", kind: "adult" }, { seat: "A2", kind: "child" }]);
  const { seats } = showing.move(number, ["A2", "A1"]);
  assert.deepEqual(seats, [{ seat: "A2", kind: "adult" }, { seat: "A1", kind: "child" }]);
});

test("a seat that is taken", () => {
  const showing = new Showing("M", new Hall("Lumen", [4]), new Date(0));
  showing.book("Ada", [{ seat: "A1", kind: "adult" }]);
  const { number } = showing.book("Tim", [{ seat: "A2", kind: "adult" }]);
  assert.throws(() => showing.move(number, ["A1"]), SeatError);
  assert.throws(() => showing.move(99, ["A3"]), RangeError);
  assert.deepEqual([...showing.taken], ["A1", "A2"]);
});
