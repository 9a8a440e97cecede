// When a server that died is started again, and when no more.

export type AfterDeath = { readonly kind: "again"; readonly seconds: number } | { readonly kind: "enough"; readonly deaths: number };

const QUIET_MS = 60_000;
const WINDOW_MS = 180_000;
const DEATHS_MAX = 5;
const LONGEST_SECONDS = 30;

/** Waits 1, 2, 4 … 30 s, from the beginning again once the server ran for a minute; 5 deaths in 3 minutes are enough. */
export class Restarts {
  private deaths: readonly number[] = [];
  private waits = 0;

  /** The server ended at `now`, having run for `ranMs` (0 where it never got as far). Both in milliseconds. */
  died(now: number, ranMs: number): AfterDeath {
    this.deaths = [...this.deaths.filter((then) => now - then < WINDOW_MS), now];
    if (this.deaths.length >= DEATHS_MAX) return { kind: "enough", deaths: this.deaths.length };
    if (ranMs >= QUIET_MS) this.waits = 0;
    const seconds = Math.min(2 ** this.waits, LONGEST_SECONDS);
    this.waits += 1;
    return { kind: "again", seconds };
  }

  /** A person asked for a start: what was before does not count. */
  forget(): void {
    this.deaths = [];
    this.waits = 0;
  }
}
