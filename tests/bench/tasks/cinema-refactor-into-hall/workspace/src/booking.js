import { findTogether, SeatError } from "./seats.js";
import { priceOn } from "./prices.js";

/** One showing of a film: who has which seat. */
export class Showing {
  constructor(film, hall, start) {
    this.film = film;
    this.hall = hall;
    this.start = start;
    this.bookings = new Map();
    this.nextNumber = 1;
  }

  get taken() {
    return new Set([...this.bookings.values()].flatMap((booking) => booking.seats.map(({ seat }) => seat)));
  }

  get free() {
    return this.hall.capacity - this.taken.size;
  }

  /** @param {{seat: string, kind: string}[]} seats  All of them or none. */
  book(name, seats) {
    const taken = this.taken;
    for (const { seat } of seats) {
      if (!this.hall.has(seat)) {
        throw new SeatError(`${this.hall.name} has no ${seat}`);
      }
      if (taken.has(seat)) {
        throw new SeatError(`${seat} is taken`);
      }
      taken.add(seat);
    }
    const total = seats.reduce((sum, { seat, kind }) => sum + priceOn(this.start, this.hall, seat, kind), 0);
    const booking = { number: this.nextNumber++, name, seats, total };
    this.bookings.set(booking.number, booking);
    return booking;
  }

  /** Books seats side by side, one for each kind of guest. */
  bookTogether(name, kinds) {
    const seats = findTogether(this.hall, this.taken, kinds.length);
    if (!seats) {
      throw new SeatError(`no ${kinds.length} seats side by side`);
    }
    return this.book(name, seats.map((seat, index) => ({ seat, kind: kinds[index] })));
  }

  cancel(number) {
    if (!this.bookings.delete(number)) {
      throw new RangeError(`no booking ${number}`);
    }
  }
}
