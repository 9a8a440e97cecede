import { describe, expect, test } from "vitest";
import type { Change, Hunk, TodoItem } from "../src/protocol.gen";
import { EMPTY, type TaskView, type ViewState } from "../src/state/projection";
import { openItems, shownTask, todoRows, todoTitle, type ShownTask } from "../src/tasks/todoRows";

const NOTHING = { requests: 0, prompt_tokens: 0, cached_tokens: 0, completion_tokens: 0, context_tokens: 0, context_window: 0 };
const task = (id: string, started: number, status: TaskView["status"], todo: TodoItem[] = [], session = "s"): TaskView => ({
  ...{ id, started, status, todo, session, prompt: `do\n${id}`, mode: "ask", summary: "", usage: NOTHING },
});
const item = (id: string, status: TodoItem["status"], more: Partial<TodoItem> = {}): TodoItem => ({
  ...{ id, title: `item ${id}`, status, by: "model" },
  ...more,
});
const hunk = (id: string, line: number, todo?: string): Hunk => ({
  id,
  range: { start: { line, character: 0 }, end: { line: line + 1, character: 0 } },
  old: "a\n",
  new: "b\nc\n",
  ...(todo === undefined ? {} : { todo }),
});
const change = (more: Partial<Change> = {}): Change => ({
  ...{ id: "c1", task: "k1", digest: "d", state: "proposed", summary: "S" },
  files: [{ uri: "file:///w/src/a.py", kind: "edit", hunks: [hunk("h1", 3, "t1"), hunk("h2", 9, "t2"), hunk("h3", 20)] }],
  ...more,
});
const sessions = (...all: TaskView[]): ViewState => {
  const state = new Map(EMPTY);
  for (const one of all) {
    const before = state.get(one.session) ?? { id: one.session, seq: 1, tasks: [], changes: [], approvals: [] };
    state.set(one.session, { ...before, tasks: [...before.tasks, one] } as never);
  }
  return state;
};
const nameOf = (uri: string): string => uri.replace("file:///w/", "");
const rowsOf = (todo: TodoItem[], changes: Change[] = [], more: Partial<ShownTask> = {}) =>
  todoRows({ task: task("k1", 1, "running", todo), changes, editable: true, ...more }, nameOf);

describe("the task whose list is shown", () => {
  const id = (state: ViewState, chosen?: string): string | undefined => shownTask(state, chosen)?.task.id;
  test("is the one that runs, else the newest, of whichever session", () => {
    expect(id(EMPTY)).toBeUndefined();
    expect(id(sessions(task("k1", 1, "done"), task("k2", 5, "done", [], "z"), task("k3", 3, "done")))).toBe("k2");
    expect(id(sessions(task("k1", 1, "running"), task("k2", 5, "done")))).toBe("k1");
  });
  test("is the chosen one until a newer one runs", () => {
    expect(id(sessions(task("k1", 1, "done"), task("k2", 5, "done")), "k1")).toBe("k1");
    expect(id(sessions(task("k1", 1, "done"), task("k2", 5, "running")), "k1")).toBe("k2");
    expect(id(sessions(task("k1", 1, "done")), "gone")).toBe("k1");
  });
  test("can be edited while it runs or is the newest of its session", () => {
    const state = sessions(task("k1", 1, "done"), task("k2", 5, "done"));
    expect(shownTask(state, "k1")?.editable).toBe(false);
    expect(shownTask(state, "k2")?.editable).toBe(true);
  });
});

test("an item has its hunks and the check below it", () => {
  const check = { status: "failed", command: "make", output: "no", seconds: 2, parsed: true, sandboxed: true } as const;
  const [first, second, third] = rowsOf(
    [item("t1", "running"), item("t2", "pending"), item("t3", "done", { evidence: { hunks: ["h3"], check: "", note: "" } })],
    [change({ check })],
  );
  expect(first?.children?.map(({ label, description }) => `${label} ${description ?? ""}`)).toEqual([
    "a.py:4 +2 −1",
    "Check failed make · 2.0 s",
  ]);
  expect(second?.children?.[0]).toMatchObject({ label: "a.py:10", spoken: "src/a.py, line 10, 2 lines added, 1 line removed, proposed" });
  expect(third?.children?.[0]?.label).toBe("a.py:21");
  const ids = [first, second, third].flatMap((row) => [row?.id, ...(row?.children ?? []).map(({ id }) => id)]);
  expect(new Set(ids).size).toBe(ids.length);
});

test("an item keeps its hunks where some were accepted and the rest was proposed anew", () => {
  const file = (...hunks: Hunk[]) => [{ uri: "file:///w/a.py", kind: "edit", hunks } as const];
  const before = rowsOf([item("t1", "done")], [change({ files: file(hunk("h1", 3, "t1"), hunk("h2", 9, "t1")) })]);
  const after = rowsOf(
    [item("t1", "done")],
    [
      change({ state: "applied", files: file(hunk("h1", 3, "t1")) }),
      change({ id: "c2", files: file(hunk("h2", 9, "t1")) }),
      change({ id: "c0", state: "rejected", files: file(hunk("h0", 1, "t1")) }),
    ],
  );
  expect(after[0]?.children?.map(({ id }) => id)).toEqual(before[0]?.children?.map(({ id }) => id));
  expect(after[0]?.children?.map(({ context }) => context)).toEqual(["hunk.applied", "hunk.proposed"]);
  const [refused] = rowsOf([item("t1", "pending")], [change({ state: "rejected" })]);
  expect(refused?.children?.map(({ context }) => context)).toEqual(["hunk.rejected"]);
});

test("an item says what it is to eyes, ears and menus", () => {
  const [row] = rowsOf([item("t1", "running", { title: "a\u202eb\n[x](command:y) <b>", by: "user" })]);
  expect(row).toMatchObject({
    label: "a�b ⏎ x <b>",
    spoken: "a�b ⏎ x <b>, running, 1 of 1",
    icon: "sync~spin",
    context: "todo.running.live",
  });
  expect(row?.description).toBeUndefined();
  const [yours, theirs] = rowsOf([item("t1", "done", { by: "user" }), item("t2", "pending")], [change()]);
  expect([yours?.description, theirs?.description]).toEqual(["yours · +2 −1", "+2 −1"]);
  const shown = { task: task("k1", 1, "done", [item("t1", "failed")]), changes: [], editable: true };
  expect(todoRows(shown, nameOf)[0]?.context).toBe("todo.failed.ended");
  expect(todoRows({ ...shown, editable: false }, nameOf)[0]?.context).toBe("todo.failed.old");
});

test("what is open is counted", () => {
  const todo = [item("a", "done"), item("b", "running"), item("c", "pending"), item("d", "skipped"), item("e", "failed")];
  const shown = { task: task("k1", 1, "running", todo), changes: [], editable: true };
  expect(openItems(shown)).toBe(3);
  expect(todoTitle(shown)).toBe("2/5 · do");
});
