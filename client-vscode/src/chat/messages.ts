// All that the extension and the chat's webview say to each other. Both ends look at what comes before they use it.
import type { ContextItem, KaajEvent, ModelInfo, Range, SessionInfo } from "../protocol.gen";
import type { ServerStatus } from "../server/serverStatus";
import type { SessionView } from "../state/projection";

export type Mode = "plan" | "ask" | "auto";
export type Speech = "off" | "sound" | "speech";

/** How things stand apart from the conversation. */
export interface Standing {
  readonly server: ServerStatus;
  /** The mode that the settings name. */
  readonly mode: Mode;
  /** The workspace is not trusted. */
  readonly restricted: boolean;
  readonly model?: ModelInfo | undefined;
  readonly speech: Speech;
  /** The URIs of the workspace's folders. */
  readonly folders: readonly string[];
  /** Another session that works at this moment. */
  readonly elsewhere?: { readonly session: string; readonly title: string } | undefined;
}

/** One row of the completion of an @. */
export interface Candidate {
  readonly label: string;
  readonly detail: string;
  readonly icon: "file" | "folder" | "symbol" | "selection" | "problems";
  readonly item: ContextItem;
}

/** What a code block is drawn with: a colour and a style (bits: 1 italic, 2 bold, 4 underlined) by its index. */
export interface Palette {
  readonly colours: readonly string[];
  /** The theme is another one: what was coloured, or is about to be, has to be asked for anew. */
  readonly renewed: boolean;
}

/** A line's tokens, flat: length in UTF-16 code units, index of the colour, style; and so on. */
export type TokenLine = readonly number[];

export type ToWebview =
  | { readonly type: "standing"; readonly standing: Standing }
  | { readonly type: "session"; readonly view: SessionView | null }
  | { readonly type: "event"; readonly event: KaajEvent }
  | { readonly type: "palette"; readonly palette: Palette }
  | { readonly type: "tokens"; readonly block: number; readonly from: number; readonly lines: readonly TokenLine[] }
  | { readonly type: "candidates"; readonly request: number; readonly rows: readonly Candidate[] }
  | { readonly type: "attached"; readonly items: readonly ContextItem[] }
  | { readonly type: "sessions"; readonly sessions: readonly SessionInfo[]; readonly shown: string | null }
  /** The task was taken up: what was typed for it may go. */
  | { readonly type: "sent" }
  /** Something was refused; said to the person beside the text field. */
  | { readonly type: "problem"; readonly message: string }
  | { readonly type: "focus" }
  | { readonly type: "history" };

export type ChangeAction = "show" | "accept" | "reject" | "undo" | "undoMerge";

/** What the webview may have done, beyond what carries arguments. */
export type Deed = "restart" | "install" | "update" | "updateExtension" | "log" | "trust" | "settings" | "openFolder" | "questions";

export type ToHost =
  | { readonly type: "ready" }
  | { readonly type: "send"; readonly prompt: string; readonly mode: Mode; readonly context: readonly ContextItem[] }
  | { readonly type: "retry"; readonly task: string }
  | { readonly type: "runPlan"; readonly task: string }
  | { readonly type: "stop"; readonly task: string }
  /** `digest` is that of the change as it was drawn. */
  | {
      readonly type: "change";
      readonly action: ChangeAction;
      readonly change: string;
      readonly digest: string;
      readonly file?: string | undefined;
      readonly hunk?: string | undefined;
    }
  | { readonly type: "open"; readonly uri: string; readonly range?: Range | undefined }
  /** A link in the model's prose that is not http(s): a path, perhaps with a line. */
  | { readonly type: "path"; readonly path: string }
  | { readonly type: "copy"; readonly text: string }
  | { readonly type: "insert"; readonly text: string }
  | {
      readonly type: "highlight";
      readonly block: number;
      readonly language: string;
      readonly from: number;
      readonly lines: readonly string[];
      /** Nothing follows. */
      readonly end: boolean;
    }
  | { readonly type: "mention"; readonly request: number; readonly query: string }
  | { readonly type: "drop"; readonly uris: readonly string[] }
  | { readonly type: "sessions" }
  | { readonly type: "show"; readonly session: string }
  | { readonly type: "forget"; readonly session: string }
  | { readonly type: "deed"; readonly deed: Deed };

type Kind = "string" | "number" | "boolean" | "array" | "object";
type Fields<Message extends { type: string }> = {
  readonly [Type in Message["type"]]: Readonly<
    Partial<Record<Exclude<keyof Extract<Message, { type: Type }>, "type">, Kind>>
  >;
};

const TO_HOST: Fields<ToHost> = {
  ready: {},
  send: { prompt: "string", mode: "string", context: "array" },
  retry: { task: "string" },
  runPlan: { task: "string" },
  stop: { task: "string" },
  change: { action: "string", change: "string", digest: "string" },
  open: { uri: "string" },
  path: { path: "string" },
  copy: { text: "string" },
  insert: { text: "string" },
  highlight: { block: "number", language: "string", from: "number", lines: "array", end: "boolean" },
  mention: { request: "number", query: "string" },
  drop: { uris: "array" },
  sessions: {},
  show: { session: "string" },
  forget: { session: "string" },
  deed: { deed: "string" },
};

const TO_WEBVIEW: Fields<ToWebview> = {
  standing: { standing: "object" },
  session: {},
  event: { event: "object" },
  palette: { palette: "object" },
  tokens: { block: "number", from: "number", lines: "array" },
  candidates: { request: "number", rows: "array" },
  attached: { items: "array" },
  sessions: { sessions: "array" },
  sent: {},
  problem: { message: "string" },
  focus: {},
  history: {},
};

function fits(value: unknown, kind: Kind): boolean {
  if (kind === "array") return Array.isArray(value);
  return typeof value === kind && value !== null;
}

function read<Message extends { type: string }>(value: unknown, all: Fields<Message>): Message | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const row = value as Record<string, unknown>;
  if (typeof row.type !== "string" || !Object.hasOwn(all, row.type)) return undefined;
  const fields = all[row.type as Message["type"]] as Record<string, Kind>;
  return Object.entries(fields).every(([name, kind]) => fits(row[name], kind)) ? (value as Message) : undefined;
}

/** The message, or undefined where it is none that the extension knows. */
export function toHost(value: unknown): ToHost | undefined {
  return read<ToHost>(value, TO_HOST);
}

/** The message, or undefined where it is none that the webview knows. */
export function toWebview(value: unknown): ToWebview | undefined {
  return read<ToWebview>(value, TO_WEBVIEW);
}
