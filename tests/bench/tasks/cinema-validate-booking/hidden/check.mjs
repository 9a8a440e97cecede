import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (path) => import(pathToFileURL(path));
import { readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
const { Hall, SeatError } = await load("src/seats.js");
const { Showing, MAX_SEATS } = await load("src/booking.js");
const { seatPrice } = await load("src/prices.js");
assert.equal(MAX_SEATS, 10);
const hall = new Hall("Lumen", [20, 20, 20]);
const showing = new Showing("M", hall, new Date("2024-03-01T20:15:00Z"));
const seats = (count, kind = "adult") => Array.from({ length: count }, (_, index) => ({ seat: `A${index + 1}`, kind }));
const refused = (name, wanted, message) => {
  assert.throws(() => showing.book(name, wanted), (error) => error instanceof RangeError && error.message === message, message);
  assert.equal(showing.free, 60);
  assert.equal(showing.bookings.size, 0);
};
for (const name of ["", " ", "\t\n", null, undefined, 7, {}]) refused(name, seats(1), "a booking needs a name");
for (const wanted of [[], null, undefined, "A1", { length: 1 }]) refused("Ada", wanted, "a booking needs a seat");
refused("", [], "a booking needs a name");
refused("Ada", seats(11), "at most 10 seats in one booking");
refused("Ada", seats(11, "nobody"), "at most 10 seats in one booking");
for (const kind of ["nobody", "toString", "constructor", "__proto__", "Adult", ""]) {
  refused("Ada", seats(1, kind), `no price for ${kind}`);
  refused("Ada", [{ seat: "Z9", kind: "adult" }, { seat: "nonsense", kind }], `no price for ${kind}`);
  assert.throws(() => seatPrice(hall, "A1", kind), RangeError, kind);
}
assert.throws(() => showing.book("Ada", [{ seat: "Z9", kind: "adult" }]), SeatError);
const booking = showing.book("  Ada L. ", seats(10));
assert.deepEqual([booking.number, booking.name, booking.total], [1, "Ada L.", 12000]);
assert.throws(() => showing.bookTogether("Ada", []), RangeError);
const run = () => spawnSync("node", ["test/validation.test.js"], { encoding: "utf8" });
assert.equal(run().status, 0, "the new tests fail");
const now = readFileSync("src/booking.js", "utf8");
try {
  writeFileSync("src/booking.js", readFileSync(`${process.env.KAAJ_TASK}/workspace/src/booking.js`, "utf8") + "\nexport const MAX_SEATS = 10;\n");
  assert.notEqual(run().status, 0, "the new tests do not notice when the validation is gone");
} finally {
  writeFileSync("src/booking.js", now);
}
console.log("solved");
