// What the server told, kept whole: each event is folded into the state in order, and where one is missing the
// session's snapshot is asked for. The one owner of the state; every view draws from it.
import { EventEmitter, type Disposable, type LogOutputChannel } from "vscode";
import type { KaajEvent, SnapshotResult } from "../protocol.gen";
import { EMPTY, withEvent, withSnapshot, type ViewState } from "./projection";

/** Asks the server for a session's snapshot; without an id, for the one last active. */
export type AskSnapshot = (session: string | undefined) => Promise<SnapshotResult>;

export class Store implements Disposable {
  private now: ViewState = EMPTY;
  /** Sessions whose snapshot is on its way, with the events that came meanwhile. */
  private readonly awaited = new Map<string | undefined, KaajEvent[]>();
  private readonly heard = new EventEmitter<KaajEvent>();
  private readonly drawn = new EventEmitter<ViewState>();
  private readonly shot = new EventEmitter<SnapshotResult>();

  /** Each new event once, in the order of its session, after the state has taken it in. */
  readonly onEvent = this.heard.event;
  /** The state changed in something other than prose (`text` events come by `onEvent` alone). */
  readonly onChange = this.drawn.event;
  /** A snapshot was taken in: what was drawn of its session is to be drawn anew. */
  readonly onSnapshot = this.shot.event;

  constructor(
    private readonly ask: AskSnapshot,
    private readonly log: LogOutputChannel,
  ) {}

  get state(): ViewState {
    return this.now;
  }

  /** A new server process: nothing that the old one said holds. */
  clear(): void {
    this.now = EMPTY;
    this.awaited.clear();
    this.drawn.fire(this.now);
  }

  /** The session was deleted: nothing of it is drawn any more. */
  forget(session: string): void {
    const rest = new Map(this.now);
    if (!rest.delete(session)) return;
    this.now = rest;
    this.drawn.fire(this.now);
  }

  take(event: KaajEvent): void {
    const waiting = this.awaited.get(event.session);
    if (waiting) {
      waiting.push(event);
      return;
    }
    const step = withEvent(this.now, event);
    switch (step.kind) {
      case "next":
        this.now = step.state;
        this.heard.fire(event);
        if (event.type !== "text") this.drawn.fire(this.now);
        return;
      case "gap":
        void this.sync(event.session);
        this.awaited.get(event.session)?.push(event);
        return;
      case "old":
        return;
    }
  }

  /** Take the session in anew, from a snapshot. Undefined where the snapshot did not come; the log says why. */
  async sync(session: string | undefined): Promise<SnapshotResult | undefined> {
    const late: KaajEvent[] = [];
    this.awaited.set(session, late);
    let snapshot: SnapshotResult;
    try {
      snapshot = await this.ask(session);
    } catch (error) {
      this.log.error(`The snapshot did not come: ${String(error)}`);
      if (this.awaited.get(session) === late) this.awaited.delete(session);
      return undefined;
    }
    if (this.awaited.get(session) !== late) return undefined; // cleared, or asked for once more
    this.awaited.delete(session);
    this.now = withSnapshot(this.now, snapshot);
    this.shot.fire(snapshot);
    this.drawn.fire(this.now);
    for (const event of late) {
      // The snapshot holds it already; that it happened was told to nobody yet.
      if (withEvent(this.now, event).kind === "old") this.heard.fire(event);
      else this.take(event);
    }
    return snapshot;
  }

  dispose(): void {
    this.heard.dispose();
    this.drawn.dispose();
    this.shot.dispose();
  }
}
