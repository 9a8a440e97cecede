import { expect, test } from "vitest";
import { changesOf, EMPTY, progressOf, tasksOf, withEvent, withSnapshot, workingOf, type ViewState } from "../src/state/projection";
import type { Change, KaajEvent, SnapshotResult, TodoItem } from "../src/protocol.gen";
import { statusText } from "../src/status/statusText";

const TIME = 1_790_000_000;
const change = (state: Change["state"], digest = "d1"): Change => ({
  id: "c1",
  task: "k1",
  digest,
  state,
  summary: "Rename",
  files: [],
});
const item = (id: string, status: TodoItem["status"]): TodoItem => ({ id, title: `item ${id}`, status, by: "model" });
const started = (seq: number, task = "k1"): KaajEvent => ({
  ...{ session: "s", seq, time: TIME, type: "task_started", task, prompt: `do ${task}`, mode: "ask", model: "qwen" },
});
const changed = (seq: number, value: Change): KaajEvent => ({
  ...{ session: "s", seq, time: TIME, type: "change", task: "k1", change: value },
});
const listed = (seq: number, ...items: TodoItem[]): KaajEvent => ({
  ...{ session: "s", seq, time: TIME, type: "todo", task: "k1", by: "model", items },
});
const finished = (seq: number): KaajEvent => ({
  ...{ session: "s", seq, time: TIME, type: "task_finished", task: "k1", status: "done", summary: "Renamed." },
});

function after(...events: KaajEvent[]): ViewState {
  return events.reduce<ViewState>((state, event) => {
    const step = withEvent(state, event);
    if (step.kind !== "next") throw new Error(`${event.type} ${event.seq}: ${step.kind}`);
    return step.state;
  }, EMPTY);
}

const snapshot = (seq: number): SnapshotResult => ({
  version: 1,
  server: "0.1.0",
  session: "s",
  seq,
  sessions: [],
  tasks: [
    {
      id: "k1",
      prompt: "do k1",
      mode: "ask",
      status: "done",
      summary: "Renamed.",
      todo: [item("t1", "done")],
      started: TIME,
      usage: {
        requests: 1,
        prompt_tokens: 1,
        cached_tokens: 0,
        completion_tokens: 1,
        context_tokens: 0,
        context_window: 0,
      },
    },
  ],
  changes: [change("proposed")],
  transcript: [],
  approvals: [],
  mode: "ask",
  restricted: false,
});

test("a task, its list and its change are drawn from the events", () => {
  const state = after(
    started(1),
    listed(2, item("t1", "done"), item("t2", "running"), item("t3", "pending")),
    changed(3, change("checked")),
    changed(4, change("proposed")),
  );
  expect(progressOf(state)).toEqual({ running: 1, done: 1, total: 3, current: "item t2", proposed: 1, asked: 0 });
  expect(changesOf(state)).toEqual([change("proposed")]);
  const [task] = tasksOf(after(started(1), finished(2)));
  expect(task).toMatchObject({ status: "done", summary: "Renamed." });
});

test("an event that comes twice changes nothing, and one that is missing is told", () => {
  const state = after(started(1), started(2, "k2"));
  expect(withEvent(state, started(2, "k2"))).toEqual({ kind: "old" });
  expect(withEvent(state, finished(4))).toEqual({ kind: "gap" });
  expect(withEvent(EMPTY, finished(2))).toEqual({ kind: "gap" });
});

test("a snapshot stands for all events before it", () => {
  const state = withSnapshot(EMPTY, snapshot(9));
  expect(progressOf(state)).toMatchObject({ running: 0, proposed: 1 });
  expect(withEvent(state, finished(9)).kind).toBe("old");
  expect(withEvent(state, changed(10, change("applied"))).kind).toBe("next");
  const { session, ...none } = snapshot(0);
  expect(session).toBe("s");
  expect(withSnapshot(state, none)).toBe(state);
});

test("a question is open until it is answered", () => {
  const approval = { id: "q1", task: "k1", title: "Run?", detail: "make", choices: ["Skip", "Run"] };
  const head = { session: "s", time: TIME, type: "approval", task: "k1", id: "q1" } as const;
  const asked: KaajEvent = { ...head, seq: 2, state: "pending", approval: { ...approval, kind: "command" } };
  const answered: KaajEvent = { ...head, seq: 3, state: "resolved", answer: "Run" };
  expect(progressOf(after(started(1), asked)).asked).toBe(1);
  expect(progressOf(after(started(1), asked, answered)).asked).toBe(0);
});

test("a type of a later server is skipped and counted", () => {
  const later = { session: "s", seq: 2, time: TIME, type: "thought", task: "k1" } as unknown as KaajEvent;
  expect(tasksOf(after(started(1), later, finished(3)))).toHaveLength(1);
});

test("sessions do not mix", () => {
  const other: KaajEvent = { ...started(1, "k9"), session: "z" };
  expect(tasksOf(after(started(1), other)).map(({ id, session }) => `${session}/${id}`)).toEqual(["z/k9", "s/k1"]);
});

test("the status bar says what matters most", () => {
  const runs = { kind: "running", command: "/bin/kaaj", restricted: false } as const;
  const text = (state: ViewState): string => statusText(runs, progressOf(state), undefined, TIME).text;
  expect(text(EMPTY)).toBe("$(checklist) Kaaj");
  expect(text(after(started(1)))).toBe("$(sync~spin) Kaaj");
  expect(text(after(started(1), listed(2, item("t1", "done"), item("t2", "running"))))).toBe("$(sync~spin) Kaaj 1/2");
  expect(text(withSnapshot(EMPTY, snapshot(9)))).toBe("$(diff) Kaaj: 1 change");
});

test("a task whose change waits is not at work", () => {
  expect(workingOf(after(started(1))).map(({ id }) => id)).toEqual(["k1"]);
  expect(workingOf(after(started(1), changed(2, change("proposed"))))).toEqual([]);
  expect(workingOf(after(started(1), changed(2, change("rejected"))))).toHaveLength(1);
  expect(workingOf(after(started(1), finished(2)))).toEqual([]);
});
