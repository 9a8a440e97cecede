/** Seats are named like "C7": a row's letter and the seat's number in it, counted from 1 at the left. */

export class SeatError extends Error {}

/** "C7" as {row: 2, number: 7}; rows count from 0. */
export function parseSeat(name) {
  const match = /^([A-Z])([1-9][0-9]?)$/.exec(name);
  if (!match) {
    throw new SeatError(`${name} is not a seat`);
  }
  return { row: match[1].charCodeAt(0) - 65, number: Number(match[2]) };
}

export function seatName({ row, number }) {
  return `${String.fromCharCode(65 + row)}${number}`;
}

export class Hall {
  /** @param {number[]} rows how many seats each row has, from the screen backwards */
  constructor(name, rows) {
    this.name = name;
    this.rows = rows;
  }

  get capacity() {
    return this.rows.reduce((sum, seats) => sum + seats, 0);
  }

  has(name) {
    const { row, number } = parseSeat(name);
    return row < this.rows.length && number <= this.rows[row];
  }

  /** All seats, row by row. */
  *seats() {
    for (const [row, count] of this.rows.entries()) {
      for (let number = 1; number <= count; number++) {
        yield seatName({ row, number });
      }
    }
  }
}

/** The first `count` free seats side by side, the row in the middle first; null where there are none. */
export function findTogether(hall, taken, count) {
  const middle = (hall.rows.length - 1) / 2;
  const order = [...hall.rows.keys()].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle) || b - a);
  for (const row of order) {
    let run = [];
    for (let number = 1; number <= hall.rows[row]; number++) {
      const name = seatName({ row, number });
      run = taken.has(name) ? [] : [...run, name];
      if (run.length === count) {
        return run;
      }
    }
  }
  return null;
}
