// The way to the extension, and what the webview keeps over its own end: the draft, and where it was scrolled to.
import type { Mode, ToHost } from "../src/chat/messages";
import type { ContextItem } from "../src/protocol.gen";

export interface Kept {
  readonly text: string;
  readonly context: readonly ContextItem[];
  /** Chosen for the next prompts; null for that of the settings. */
  readonly mode: Mode | null;
  /** Where the conversation was scrolled to, null at its end. */
  readonly scroll: { readonly session: string; readonly top: number } | null;
}

interface CodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): CodeApi;

const api = acquireVsCodeApi();
const EMPTY: Kept = { text: "", context: [], mode: null, scroll: null };

let now: Kept = { ...EMPTY, ...(api.getState() as Partial<Kept> | undefined) };
let timer: ReturnType<typeof setTimeout> | undefined;

export function post(message: ToHost): void {
  api.postMessage(message);
}

export function kept(): Kept {
  return now;
}

/** Written soon; at once where the view is about to go. */
export function keep(some: Partial<Kept>): void {
  now = { ...now, ...some };
  timer ??= setTimeout(write, 150);
}

export function write(): void {
  clearTimeout(timer);
  timer = undefined;
  api.setState(now);
}
