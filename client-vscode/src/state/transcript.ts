// The conversation of a session, as a fold over the server's events: one turn for each task, in the order of their
// beginning. A turn whose items did not change keeps its identity, so that a view draws only what is new.
import type { KaajEvent, TranscriptEntry } from "../protocol.gen";

/** A piece of the model's prose. Its text only grows; what begins anew after a cut stream has another key. */
export interface Prose {
  readonly kind: "prose";
  readonly key: number;
  readonly text: string;
  /** More of it may come. */
  readonly open: boolean;
}

export interface ToolLine {
  readonly kind: "tool";
  readonly key: number;
  readonly call: string;
  readonly tool: string;
  readonly title: string;
  readonly uri?: string | undefined;
  readonly status: "running" | "ok" | "failed";
  readonly summary: string;
}

export interface NoticeLine {
  readonly kind: "notice";
  readonly key: number;
  readonly level: "info" | "warning" | "error";
  readonly text: string;
}

/** `key` is the number of the event that it began with. */
export type Item = Prose | ToolLine | NoticeLine;

export interface Turn {
  /** The task; empty for notices that concern the session as a whole. */
  readonly task: string;
  /** The number of its first event. */
  readonly key: number;
  readonly items: readonly Item[];
}

export type Turns = readonly Turn[];

/** The turns after `event`. Pieces of prose between two other events of a task are one item, as the protocol says. */
export function withTurnEvent(turns: Turns, event: KaajEvent): Turns {
  const key = event.seq;
  switch (event.type) {
    case "task_started":
      return [...turns, { task: event.task, key, items: [] }];
    case "text":
      return change(turns, event.task, key, (items) => withText(items, key, event.text, event.reset === true));
    case "tool_started": {
      const { call, tool, title, uri } = event;
      const line: ToolLine = { kind: "tool", key, call, tool, title, uri, status: "running", summary: "" };
      return change(turns, event.task, key, (items) => [...closed(items), line]);
    }
    case "tool_progress": {
      const noted = (item: Item): Item =>
        item.kind === "tool" && item.call === event.call ? { ...item, summary: event.note } : item;
      return change(turns, event.task, key, (items) => closed(items).map(noted));
    }
    case "tool_finished": {
      const end = { status: event.ok ? "ok" : "failed", summary: event.summary } as const;
      const ended = (item: Item): Item => (item.kind === "tool" && item.call === event.call ? { ...item, ...end } : item);
      return change(turns, event.task, key, (items) => closed(items).map(ended));
    }
    case "notice": {
      const line: NoticeLine = { kind: "notice", key, level: event.level, text: event.message };
      return change(turns, event.task ?? "", key, (items) => [...closed(items), line]);
    }
    case "todo":
    case "change":
    case "approval":
    case "usage":
    case "task_finished":
      return change(turns, event.task, key, closed);
    default:
      return turns; // a type of a later server
  }
}

/** The turns out of a snapshot's conversation. `running` are the tasks whose last prose may go on. */
export function turnsOf(entries: readonly TranscriptEntry[], running: ReadonlySet<string>): Turns {
  const turns: { task: string; key: number; items: Item[] }[] = [];
  for (const entry of entries) {
    const task = entry.task ?? "";
    if (entry.kind === "user") {
      turns.push({ task, key: entry.seq, items: [] });
      continue;
    }
    let turn = task === "" ? turns.at(-1) : turns.findLast((one) => one.task === task);
    if (turn?.task !== task) turns.push((turn = { task, key: entry.seq, items: [] }));
    turn.items.push(itemOf(entry));
  }
  return turns.map((turn) => {
    const last = turn.items.at(-1);
    if (last?.kind !== "prose" || !running.has(turn.task)) return turn;
    return { ...turn, items: [...turn.items.slice(0, -1), { ...last, open: true }] };
  });
}

function itemOf(entry: TranscriptEntry): Item {
  const key = entry.seq;
  if (entry.kind === "notice") return { kind: "notice", key, level: entry.level ?? "info", text: entry.text };
  if (entry.kind !== "tool") return { kind: "prose", key, text: entry.text, open: false };
  const status = entry.ok === undefined ? "running" : entry.ok ? "ok" : "failed";
  const { call = "", tool = "", text: title, detail: summary = "", uri } = entry;
  return { kind: "tool", key, call, tool, title, uri, status, summary };
}

function withText(items: readonly Item[], key: number, text: string, reset: boolean): readonly Item[] {
  const last = items.at(-1);
  if (last?.kind !== "prose" || !last.open) return [...items, { kind: "prose", key, text, open: true }];
  const grown: Prose = reset ? { ...last, key, text } : { ...last, text: last.text + text };
  return [...items.slice(0, -1), grown];
}

/** No more comes for the prose at the end. */
function closed(items: readonly Item[]): readonly Item[] {
  const last = items.at(-1);
  return last?.kind === "prose" && last.open ? [...items.slice(0, -1), { ...last, open: false }] : items;
}

/** The turns with the items of `task` changed. A task that was not heard of begins a turn, if it has anything to show. */
function change(turns: Turns, task: string, key: number, to: (items: readonly Item[]) => readonly Item[]): Turns {
  // What concerns the whole session stands where it came; it never moves into an older turn.
  const at = task === "" ? (turns.at(-1)?.task === "" ? turns.length - 1 : -1) : turns.findLastIndex((one) => one.task === task);
  const turn = turns[at];
  const items = to(turn?.items ?? []);
  if (!turn) return items.length > 0 ? [...turns, { task, key, items }] : turns;
  return items === turn.items ? turns : turns.with(at, { ...turn, items });
}
