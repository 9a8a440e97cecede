// What the extension and the thread that colours code say to each other.
import type { ToHost, ToWebview } from "../messages";
import type { TokenTheme } from "./themeFile";

export type Request = Extract<ToHost, { type: "highlight" }>;

export interface WorkerData {
  /** Path of the engine that the grammars' expressions run on. */
  readonly wasm: string;
  /** Scope to path of its grammar. */
  readonly grammars: Readonly<Record<string, string>>;
  /** Scope to the scopes that are put into it. */
  readonly injections: Readonly<Record<string, string[]>>;
}

export type ToWorker =
  /** `round` counts the themes. What is asked before the theme came is answered after it. */
  | { readonly type: "theme"; readonly theme: TokenTheme; readonly round: number }
  | { readonly type: "take"; readonly request: Request; readonly scope: string }
  /** The blocks are numbered anew. */
  | { readonly type: "greet" };

export type FromWorker =
  | Extract<ToWebview, { type: "tokens" }>
  | { readonly type: "colours"; readonly colours: readonly string[]; readonly round: number };
