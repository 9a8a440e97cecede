// What the page knows: what the extension sent, and what the person has open. One owner, drawn at most once a frame.
import type { Standing, ToWebview } from "../src/chat/messages";
import type { SessionInfo } from "../src/protocol.gen";
import { withEvent, type SessionView } from "../src/state/projection";
import { announce } from "./announce";
import { post } from "./host";
import { saying, say } from "./speech";

export interface AppState {
  readonly standing: Standing;
  /** Null for a new session; undefined until the extension has spoken. */
  readonly view: SessionView | null | undefined;
  /** The history, where it is open; null while it is asked for. */
  readonly history: { readonly sessions: readonly SessionInfo[] | null; readonly shown: string | null } | undefined;
  /** What was refused, said above the text field. */
  readonly problem: string;
}

const BEGINNING: AppState = {
  standing: { server: { kind: "starting" }, mode: "ask", restricted: false, speech: "off", folders: [] },
  view: undefined,
  history: undefined,
  problem: "",
};

let state = BEGINNING;
let draw: (state: AppState) => void = () => undefined;
let listener: (message: ToWebview) => void = () => undefined;
let asked = false;
let ended = 0;
let cost = 0;

export function start(how: (state: AppState) => void): void {
  draw = how;
  schedule();
}

/** The text field hears all messages after the state has taken them in. */
export function listen(how: (message: ToWebview) => void): void {
  listener = how;
}

export function change(some: Partial<AppState>): void {
  state = { ...state, ...some };
  schedule();
}

export function current(): AppState {
  return state;
}

/** Draw with the next frame; less often where drawing takes long, so that the page stays at the person's hands. */
function schedule(): void {
  if (asked) return;
  asked = true;
  const pause = cost > 12 ? ended + 2 * cost - performance.now() : 0;
  if (pause > 4) setTimeout(() => requestAnimationFrame(frame), pause);
  else requestAnimationFrame(frame);
}

function frame(): void {
  asked = false;
  const began = performance.now();
  draw(state);
  ended = performance.now();
  cost = ended - began;
}

/** Take in what the extension says. */
export function take(message: ToWebview): void {
  fold(message);
  listener(message);
}

function fold(message: ToWebview): void {
  switch (message.type) {
    case "standing":
      change({ standing: message.standing });
      return;
    case "session": {
      const { view } = message;
      const before = state.view;
      // A snapshot may hold what no event told of.
      if (view && before?.id === view.id && before.seq < view.seq) tell(before, view);
      change({ view });
      return;
    }
    case "event": {
      const { event } = message;
      const before = state.view?.id === event.session ? state.view : undefined;
      const step = withEvent(before ? new Map([[before.id, before]]) : new Map<string, SessionView>(), event);
      if (step.kind === "gap") post({ type: "show", session: event.session });
      if (step.kind !== "next") return;
      const view = step.state.get(event.session);
      if (view) tell(before, view, event.type);
      change({ view });
      return;
    }
    case "sessions":
      if (state.history) change({ history: { sessions: message.sessions, shown: message.shown } });
      return;
    case "problem":
      announce(message.message);
      change({ problem: message.message });
      return;
    case "history":
      openHistory();
      return;
    case "palette":
    case "tokens":
    case "candidates":
    case "attached":
    case "sent":
    case "focus":
      return;
  }
}

function openHistory(): void {
  change({ history: { sessions: null, shown: null } });
  post({ type: "sessions" });
}

/** Say what a person who does not look at the page would want to know; `type`: of an event of this type alone. */
function tell(before: SessionView | undefined, now: SessionView, type?: string): void {
  const of = (one: string): boolean => type === undefined || type === one;
  const task = now.tasks.at(-1);
  const was = before?.tasks.find(({ id }) => id === task?.id);
  if (!task) return;
  const words = of("todo") && task.status === "running" ? saying(was?.todo ?? [], task.todo) : undefined;
  if (words) {
    announce(words.text);
    say(words, state.standing.speech);
  }
  if (of("task_finished") && task.status !== "running" && was?.status === "running") announce(`The task is ${task.status}. ${task.summary}`);
  if (of("approval") && now.approvals.length > (before?.approvals.length ?? 0)) {
    announce(`Kaaj asks: ${now.approvals.at(-1)?.title ?? ""}`);
  }
  if (of("change")) {
    const change = now.changes.at(-1);
    const old = before?.changes.find(({ id }) => id === change?.id);
    if (change?.state === "proposed" && old?.state !== "proposed") announce("A change is proposed for review.");
  }
}
