// Whether the server still answers. A process may be there and hang: then nothing of what was asked comes back, and
// nothing else is heard of it.

const TICK_MS = 1_000;
/** Ticks with something asked and nothing heard. Counted, so that the sleep of the machine is one of them. */
const PATIENCE = 15;

export const PATIENCE_SECONDS = (PATIENCE * TICK_MS) / 1_000;

export class Pulse {
  private open = 0;
  private ticks = 0;
  private timer: NodeJS.Timeout | undefined;
  private lost = false;

  /** `tell` hears that it hangs (true), and that it is back (false). */
  constructor(private tell: (hangs: boolean) => void) {}

  get hangs(): boolean {
    return this.lost;
  }

  /** Follow what was asked until it is answered, which a refusal is too. */
  async follow<Result>(answer: Promise<Result>): Promise<Result> {
    this.open += 1;
    this.timer ??= setInterval(() => {
      this.tick();
    }, TICK_MS);
    try {
      return await answer;
    } finally {
      this.open -= 1;
      if (this.open === 0) this.rest();
      this.heard();
    }
  }

  /** Something came from the server, whatever it is. */
  heard(): void {
    this.ticks = 0;
    if (!this.lost) return;
    this.lost = false;
    this.tell(false);
  }

  /** The process is let go of: nothing is told any more. */
  dispose(): void {
    this.rest();
    this.lost = false;
    this.tell = () => undefined;
  }

  private tick(): void {
    this.ticks += 1;
    if (this.lost || this.ticks < PATIENCE) return;
    this.lost = true;
    this.tell(true);
  }

  private rest(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.ticks = 0;
  }
}
