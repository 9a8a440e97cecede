import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

const load = (path) => import(pathToFileURL(path));
import { readdirSync, readFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
for (const folder of ["src", "test"]) {
  for (const name of readdirSync(folder)) {
    assert.doesNotMatch(readFileSync(`${folder}/${name}`, "utf8"), /priceOn/, `${folder}/${name}`);
  }
}
const prices = await load("src/prices.js");
assert.deepEqual(Object.keys(prices).sort(), ["BALCONY_EXTRA", "CHEAP_PERCENT", "CHEAP_WEEKDAY", "PRICES", "formatCents", "isBalcony", "seatPrice", "ticketPrice"]);
assert.equal(prices.ticketPrice.name, "ticketPrice");
const { Hall } = await load("src/seats.js");
const { Showing } = await load("src/booking.js");
const hall = new Hall("Lumen", [4, 6, 6, 8]);
assert.equal(prices.ticketPrice(new Date("2024-03-05T18:00:00Z"), hall, "D1", "student"), 925);
assert.equal(new Showing("M", hall, new Date("2024-03-05T18:00:00Z")).book("Ada", [{ seat: "A1", kind: "adult" }]).total, 900);
assert.match(readFileSync("test/cinema.test.js", "utf8"), /ticketPrice\(tuesday/);
const done = spawnSync("node", ["--test"], { encoding: "utf8" });
assert.equal(done.status, 0, done.stdout);
assert.match(done.stdout, /^# pass 5$|pass 5/m);
console.log("solved");
