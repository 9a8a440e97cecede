import { expect, test } from "vitest";
import type { KaajEvent, TranscriptEntry } from "../src/protocol.gen";
import { turnsOf, withTurnEvent, type Turns } from "../src/state/transcript";

const TIME = 1_790_000_000;
type Bare<Event> = Event extends KaajEvent ? Omit<Event, "session" | "seq" | "time"> : never;

function after(...events: Bare<KaajEvent>[]): Turns {
  return events.reduce<Turns>(
    (turns, event, index) => withTurnEvent(turns, { session: "s", seq: index + 1, time: TIME, ...event }),
    [],
  );
}

const started = (task: string) => ({ type: "task_started", task, prompt: "do", mode: "ask", model: "m" }) as const;
const text = (piece: string, task = "k1") => ({ type: "text", task, text: piece }) as const;
const USAGE = { requests: 1, prompt_tokens: 1, cached_tokens: 0, completion_tokens: 1, context_tokens: 0, context_window: 0 };

test("pieces between two other events are one paragraph", () => {
  const [turn] = after(started("k1"), text("a"), text("b"), { type: "usage", task: "k1", usage: USAGE }, text("c"));
  expect(turn?.items).toMatchObject([
    { kind: "prose", text: "ab", open: false, key: 2 },
    { kind: "prose", text: "c", open: true, key: 5 },
  ]);
});

test("a reply that begins anew voids its paragraph alone, and is drawn as another one", () => {
  const [turn] = after(
    started("k1"),
    text("kept"),
    { type: "tool_started", task: "k1", call: "1", tool: "read", title: "Read a" },
    { type: "tool_finished", task: "k1", call: "1", ok: true, summary: "9 lines" },
    text("vo"),
    text("id"),
    { type: "text", task: "k1", text: "new", reset: true },
    text("er"),
  );
  expect(turn?.items).toMatchObject([
    { kind: "prose", text: "kept" },
    { kind: "tool", status: "ok", summary: "9 lines" },
    { kind: "prose", text: "newer", key: 7 },
  ]);
});

test("a tool that runs says what it is just at", () => {
  const begun = { type: "tool_started", task: "k1", call: "1", tool: "repair", title: "Look" } as const;
  const at = (note: string) => ({ type: "tool_progress", task: "k1", call: "1", note }) as const;
  expect(after(started("k1"), begun, at("one"), at("two"))[0]?.items).toMatchObject([{ status: "running", summary: "two" }]);
  const [turn] = after(started("k1"), begun, at("one"), { type: "tool_finished", task: "k1", call: "1", ok: true, summary: "done" });
  expect(turn?.items).toMatchObject([{ status: "ok", summary: "done" }]);
});

test("tasks side by side keep their own turns, and an untouched turn its identity", () => {
  const before = after(started("k1"), started("k2"), text("one", "k1"), text("two", "k2"));
  const now = withTurnEvent(before, { session: "s", seq: 5, time: TIME, ...text("!", "k1") });
  expect(now.map(({ items }) => items[0])).toMatchObject([{ text: "one!" }, { text: "two" }]);
  expect(now[1]).toBe(before[1]);
});

test("a notice of the whole session stands where it came", () => {
  const turns = after(started("k1"), { type: "notice", level: "warning", message: "disk" }, started("k2"));
  expect(turns.map(({ task, items }) => [task, items.length])).toEqual([["k1", 0], ["", 1], ["k2", 0]]);
});

test("a snapshot's conversation reads as the events did", () => {
  const head = { time: TIME, task: "k1" };
  const entries: TranscriptEntry[] = [
    { ...head, kind: "user", seq: 1, text: "do" },
    { ...head, kind: "model", seq: 2, text: "I look." },
    { ...head, kind: "tool", seq: 4, text: "Read a", tool: "read", call: "1", ok: false, detail: "no such file" },
    { ...head, kind: "tool", seq: 6, text: "Read b", tool: "read", call: "2" },
    { ...head, kind: "model", seq: 7, text: "half" },
  ];
  const [turn] = turnsOf(entries, new Set(["k1"]));
  expect(turn?.items).toMatchObject([
    { kind: "prose", text: "I look.", open: false },
    { kind: "tool", status: "failed", summary: "no such file" },
    { kind: "tool", status: "running" },
    { kind: "prose", text: "half", open: true },
  ]);
  const grown = withTurnEvent(turnsOf(entries, new Set(["k1"])), { session: "s", seq: 9, time: TIME, ...text(" done") });
  expect(grown[0]?.items.at(-1)).toMatchObject({ text: "half done" });
  expect(turnsOf(entries, new Set())[0]?.items.at(-1)).toMatchObject({ open: false });
});
