import { expect, test } from "vitest";
import { followed, innermost } from "../src/editor/place";
import { progressText } from "../src/editor/progressText";
import { messageOf } from "../src/notify/notifyText";
import type { Change, KaajEvent, Range, TodoItem } from "../src/protocol.gen";
import type { TaskView } from "../src/state/projection";

test.each([
  ["below", 5, { first: 8, last: 9, newLines: 3 }, 5],
  ["above, longer", 5, { first: 1, last: 1, newLines: 2 }, 7],
  ["above, shorter", 5, { first: 1, last: 3, newLines: 0 }, 3],
  ["on the line", 5, { first: 5, last: 5, newLines: 0 }, 5],
  ["over the line", 5, { first: 3, last: 9, newLines: 0 }, 3],
  ["over the line, with more lines", 5, { first: 4, last: 6, newLines: 9 }, 5],
])("a place follows an edit %s", (_, line, edit, expected) => {
  expect(followed(line, edit)).toBe(expected);
});

test("the innermost range around a place is found", () => {
  const range = (first: number, last: number): Range => ({
    start: { line: first, character: 0 },
    end: { line: last, character: 9 },
  });
  const all = [range(0, 20), range(2, 8), range(3, 4), range(9, 12)];
  expect(innermost(all, { line: 3, character: 1 })).toEqual(range(3, 4));
  expect(innermost(all, { line: 7, character: 0 })).toEqual(range(2, 8));
  expect(innermost(all, { line: 30, character: 0 })).toBeUndefined();
});

const item = (id: string, status: TodoItem["status"]): TodoItem => ({ id, title: `item ${id}`, status, by: "model" });
const task = (status: TaskView["status"], ...todo: TodoItem[]): TaskView => ({
  ...{ id: "k", session: "s", prompt: "p", mode: "ask", status, summary: "", todo, started: 1 },
  usage: { requests: 0, prompt_tokens: 0, cached_tokens: 0, completion_tokens: 0, context_tokens: 0, context_window: 0 },
});

test("the line says which item the task is at", () => {
  expect(progressText(undefined, false)).toBeUndefined();
  expect(progressText(task("done", item("a", "done")), false)).toBeUndefined();
  expect(progressText(task("running"), false)).toBe("Kaaj is at work…");
  expect(progressText(task("running", item("a", "done"), item("b", "running")), false)).toBe("Kaaj 2/2: item b");
  expect(progressText(task("running", item("a", "done"), item("b", "pending")), false)).toBe("Kaaj 1/2…");
  expect(progressText(task("running", item("b", "running")), true)).toBe("Kaaj: a change waits for you");
});

test("a message comes for a proposal and for an end that the person did not make", () => {
  const head = { session: "s", seq: 1, time: 1, task: "k" };
  const change: Change = { id: "c", task: "k", digest: "d", state: "proposed", summary: "[x](command:y)", files: [] };
  const proposed: KaajEvent = { ...head, type: "change", change };
  const ended = (status: "done" | "cancelled" | "failed", summary: string): KaajEvent => ({ ...head, type: "task_finished", status, summary });
  expect(messageOf(proposed, [])).toEqual({ text: "Kaaj has a change for you: x", change: "c" });
  expect(messageOf({ ...proposed, change: { ...change, state: "checked" } }, [])).toBeUndefined();
  expect(messageOf(ended("cancelled", "x"), [])).toBeUndefined();
  expect(messageOf(ended("failed", ""), [])).toEqual({ text: "Kaaj could not do it." });
  expect(messageOf(ended("done", "Renamed."), [{ ...change, state: "applied" }])).toEqual({ text: "Kaaj is done: Renamed.", change: "c" });
});
