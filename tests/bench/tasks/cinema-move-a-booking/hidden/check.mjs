import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (path) => import(pathToFileURL(path));
const { Hall, SeatError } = await load("src/seats.js");
const { Showing } = await load("src/booking.js");
const make = () => {
  const showing = new Showing("M", new Hall("Lumen", [4, 6, 6, 8]), new Date("2024-03-01T20:15:00Z"));
  showing.book("Ada", [{ seat: "A1", kind: "adult" }, { seat: "A2", kind: "child" }]);
  showing.book("Tim", [{ seat: "B1", kind: "student" }]);
  return showing;
};
const seats = (booking) => booking.seats.map(({ seat, kind }) => `${seat} ${kind}`);
{
  const showing = make();
  const moved = showing.move(1, ["D1", "A4"]);
  assert.deepEqual(seats(moved), ["D1 adult", "A4 child"]);
  assert.deepEqual([moved.number, moved.name, moved.total], [1, "Ada", 2150]);
  assert.deepEqual(showing.bookings.get(1), moved);
  assert.equal(showing.bookings.size, 2);
  assert.deepEqual([...showing.taken].sort(), ["A4", "B1", "D1"]);
  assert.equal(showing.free, 21);
  assert.equal(showing.book("Eva", [{ seat: "A1", kind: "adult" }]).number, 3);
}
{
  const showing = make();
  assert.deepEqual(seats(showing.move(1, ["A2", "A1"])), ["A2 adult", "A1 child"]);
  assert.deepEqual(seats(showing.move(1, ["A3", "A2"])), ["A3 adult", "A2 child"]);
  assert.deepEqual(seats(showing.move(1, ["A3", "A2"])), ["A3 adult", "A2 child"]);
}
for (const [number, names, kind] of [
  [1, ["B1", "A2"], SeatError],
  [1, ["A3", "B1"], SeatError],
  [1, ["A3"], SeatError],
  [1, [], SeatError],
  [1, ["A3", "A4", "B2"], SeatError],
  [1, ["A3", "A3"], SeatError],
  [1, ["A3", "A5"], SeatError],
  [1, ["A3", "Z1"], SeatError],
  [1, ["A3", "nonsense"], SeatError],
  [2, ["A1"], SeatError],
  [3, ["A3"], RangeError],
]) {
  const showing = make();
  const before = JSON.stringify([...showing.bookings]);
  assert.throws(() => showing.move(number, names), kind, `${number} ${names}`);
  assert.equal(JSON.stringify([...showing.bookings]), before, `${number} ${names} changed something`);
}
{
  const showing = new Showing("M", new Hall("Lumen", [4, 6, 6, 8]), new Date("2024-03-05T20:15:00Z"));
  showing.book("Ada", [{ seat: "A1", kind: "adult" }]);
  assert.equal(showing.move(1, ["C1"]).total, 1150);
}
console.log("solved");
