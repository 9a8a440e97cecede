// What the views show, as a fold over the server's events. Nothing is decided here and nothing is kept that the
// server does not have: after a gap or a restart it is all made anew from a snapshot.
import type { Approval, Change, KaajEvent, SnapshotResult, TaskInfo, Usage } from "../protocol.gen";
import { turnsOf, withTurnEvent, type Turns } from "./transcript";

/** A task with the session that it belongs to. */
export type TaskView = Readonly<TaskInfo> & { readonly session: string };

export interface SessionView {
  readonly id: string;
  /** The last event that is in here. */
  readonly seq: number;
  readonly tasks: readonly TaskView[];
  readonly changes: readonly Change[];
  readonly approvals: readonly Approval[];
  /** The conversation: a turn for each task. */
  readonly turns: Turns;
}

/** Each session that was heard of, by its id. */
export type ViewState = ReadonlyMap<string, SessionView>;

export const EMPTY: ViewState = new Map();

const NEW: Omit<SessionView, "id"> = { seq: 0, tasks: [], changes: [], approvals: [], turns: [] };

const NOTHING: Usage = {
  requests: 0,
  prompt_tokens: 0,
  cached_tokens: 0,
  completion_tokens: 0,
  context_tokens: 0,
  context_window: 0,
};

/** What became of an event: the new state, or why the state cannot take it. */
export type Step = { readonly kind: "next"; readonly state: ViewState } | { readonly kind: "gap" | "old" };

export function withSnapshot(state: ViewState, snapshot: SnapshotResult): ViewState {
  const id = snapshot.session;
  // Events that came while the snapshot was on its way may have led further than it.
  if (id === undefined || (state.get(id)?.seq ?? 0) > snapshot.seq) return state;
  const running = new Set(snapshot.tasks.filter(({ status }) => status === "running").map((task) => task.id));
  const view: SessionView = {
    id,
    seq: snapshot.seq,
    tasks: snapshot.tasks.map((task) => ({ ...task, session: id })),
    changes: snapshot.changes,
    approvals: snapshot.approvals,
    turns: turnsOf(snapshot.transcript, running),
  };
  return new Map(state).set(id, view);
}

/**
 * The state after `event`. `old`: a snapshot already holds it. `gap`: something in between was lost, so that the
 * session's snapshot has to be asked for.
 */
export function withEvent(state: ViewState, event: KaajEvent): Step {
  const before = state.get(event.session) ?? { ...NEW, id: event.session };
  if (event.seq <= before.seq) return { kind: "old" };
  if (event.seq > before.seq + 1) return { kind: "gap" };
  const turns = withTurnEvent(before.turns, event);
  const view: SessionView = { ...before, ...changed(before, event), turns, seq: event.seq };
  return { kind: "next", state: new Map(state).set(event.session, view) };
}

function changed(view: SessionView, event: KaajEvent): Partial<SessionView> {
  switch (event.type) {
    case "task_started": {
      const { session, task: id, prompt, mode, time: started, context } = event;
      const fresh: TaskView = { session, id, prompt, mode, started, status: "running", summary: "", todo: [], usage: NOTHING };
      return { tasks: put(view.tasks, context ? { ...fresh, context } : fresh) };
    }
    case "todo":
      return { tasks: patch(view.tasks, event.task, { todo: event.items }) };
    case "task_finished":
      return { tasks: patch(view.tasks, event.task, { status: event.status, summary: event.summary, ended: event.time }) };
    case "usage":
      return { tasks: patch(view.tasks, event.task, { usage: event.usage }) };
    case "change":
      return { changes: put(view.changes, event.change) };
    case "approval": {
      if (event.approval) return { approvals: put(view.approvals, event.approval) };
      return { approvals: view.approvals.filter((approval) => approval.id !== event.id) };
    }
    case "text":
    case "tool_started":
    case "tool_progress":
    case "tool_finished":
    case "notice":
      return {};
    default:
      return {}; // a type of a later server: skipped, as the protocol wants it
  }
}

/** The rows with the one of the same id replaced, or the new one at the end. */
function put<Row extends { readonly id: string }>(rows: readonly Row[], row: Row): readonly Row[] {
  return rows.some(({ id }) => id === row.id) ? rows.map((old) => (old.id === row.id ? row : old)) : [...rows, row];
}

function patch(tasks: readonly TaskView[], id: string, fields: Partial<TaskView>): readonly TaskView[] {
  return tasks.map((task) => (task.id === id ? { ...task, ...fields } : task));
}

/** Every task, the newest first. */
export function tasksOf(state: ViewState): readonly TaskView[] {
  return [...state.values()].flatMap(({ tasks }) => tasks).reverse();
}

/** Tasks that are at work, and do not wait for the person's decision on a change. */
export function workingOf(state: ViewState): readonly TaskView[] {
  const waiting = new Set(changesOf(state).flatMap(({ task, state: now }) => (now === "proposed" ? [task] : [])));
  return tasksOf(state).filter(({ id, status }) => status === "running" && !waiting.has(id));
}

/** Every change, the newest first. */
export function changesOf(state: ViewState): readonly Change[] {
  return [...state.values()].flatMap(({ changes }) => changes).reverse();
}

export interface Progress {
  readonly running: number;
  readonly done: number;
  readonly total: number;
  /** The title of the to-do item at work, if there is one. */
  readonly current: string | undefined;
  readonly proposed: number;
  readonly asked: number;
}

/** How far the running tasks are, and what waits for the person. */
export function progressOf(state: ViewState): Progress {
  const running = tasksOf(state).filter(({ status }) => status === "running");
  const items = running.flatMap(({ todo }) => todo);
  return {
    running: running.length,
    done: items.filter(({ status }) => status === "done" || status === "skipped").length,
    total: items.length,
    current: items.find(({ status }) => status === "running")?.title,
    proposed: changesOf(state).filter(({ state: now }) => now === "proposed").length,
    asked: [...state.values()].reduce((sum, { approvals }) => sum + approvals.length, 0),
  };
}
