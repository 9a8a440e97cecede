// Generated from protocol/schema by `npm run gen`. Do not edit.

export type ContextItem = FileContext | FolderContext | RangeContext | ProblemsContext | TextContext;
/**
 * The parameters of the notification kaaj/event.
 */
export type KaajEvent =
  | TaskStarted
  | Text
  | ToolStarted
  | ToolProgress
  | ToolFinished
  | Todo
  | ChangeEvent
  | ApprovalEvent
  | UsageEvent
  | Notice
  | TaskFinished;

/**
 * Everything that goes over the wire.
 */
export interface KaajProtocol {
  commands: KaajCommands;
  event: KaajEvent;
  requests: KaajRequests;
  settings: KaajSettings;
}
/**
 * The argument and the result of each command of workspace/executeCommand.
 */
export interface KaajCommands {
  "kaaj.start": {
    argument: StartArgument;
    result: StartResult;
  };
  "kaaj.cancel": {
    argument: CancelArgument;
    result: CancelResult;
  };
  "kaaj.accept": {
    argument: DecideArgument;
    result: ChangeResult;
  };
  "kaaj.reject": {
    argument: DecideArgument;
    result: ChangeResult;
  };
  "kaaj.undo": {
    argument: UndoArgument;
    result: ChangeResult;
  };
  "kaaj.todo": {
    argument: TodoArgument;
    result: TodoResult;
  };
  "kaaj.snapshot": {
    argument: SnapshotArgument;
    result: SnapshotResult;
  };
  "kaaj.fix": {
    argument: FixArgument;
    result: StartResult;
  };
  "kaaj.forget": {
    argument: ForgetArgument;
    result: ForgetResult;
  };
}
/**
 * Start a task.
 *
 * `mode` overrides the setting. `uri` and `range` say where the person is (a range needs its `uri`). `session`
 * continues a session; without it the task opens a new one. `context` is what the person hands along. `todo` is the
 * list to begin with: it is worked through in its order. Ids in it have no meaning, since the task gives its own;
 * what is `skipped` or `done` in it is not worked on.
 */
export interface StartArgument {
  prompt: string;
  mode?: ("plan" | "ask" | "auto") | null;
  uri?: string | null;
  range?: Range | null;
  session?: string | null;
  context?: ContextItem[] | null;
  todo?: TodoEdit[] | null;
}
/**
 * From `start` up to `end`, the latter not included, as LSP has it.
 */
export interface Range {
  start: Position;
  end: Position;
}
/**
 * A place between two characters, as LSP has it.
 *
 * `line` and `character` count from 0; `character` counts code units of the position encoding that was negotiated
 * in `initialize` (UTF-16 unless said otherwise).
 */
export interface Position {
  line: number;
  character: number;
}
/**
 * A file of the workspace, as the editor has it.
 */
export interface FileContext {
  kind: "file";
  uri: string;
}
/**
 * A folder of the workspace; the model gets a listing.
 */
export interface FolderContext {
  kind: "folder";
  uri: string;
}
/**
 * Lines of a file: a selection, or a symbol where `name` is there.
 */
export interface RangeContext {
  kind: "range";
  uri: string;
  range: Range;
  name?: string;
}
/**
 * The problems that the editor shows now: of a file, or all of them.
 */
export interface ProblemsContext {
  kind: "problems";
  uri?: string;
}
/**
 * Text that was pasted or dropped; `name` is what to call it.
 */
export interface TextContext {
  kind: "text";
  name: string;
  text: string;
}
/**
 * One item as the person wants it. Without `id` it is new.
 *
 * Of the statuses, `pending` and `skipped` are the person's to set; another one leaves the item's own as it is.
 */
export interface TodoEdit {
  title: string;
  id?: string | null;
  status?: ("pending" | "running" | "done" | "failed" | "skipped") | null;
}
/**
 * The task runs; it answers within 50 ms, before the model is asked anything.
 */
export interface StartResult {
  session: string;
  task: string;
}
/**
 * Stop a task. What it staged is kept as a change and can still be looked at; nothing of it is applied.
 */
export interface CancelArgument {
  task: string;
}
/**
 * `cancelled` is false where the task had ended already.
 */
export interface CancelResult {
  task: string;
  cancelled: boolean;
}
/**
 * Accept or reject a proposed change, or some hunks of it.
 *
 * `digest` is the one that the person saw: another one is refused, since the change is then not what was looked at.
 * `hunks` are ids; without it the whole change is meant, and an empty list is refused. Accepting some
 * leaves the others proposed, as a new change of the same task; rejecting some takes them out and leaves the others
 * proposed, under a new digest. `reason` goes to the model.
 */
export interface DecideArgument {
  change: string;
  digest: string;
  hunks?: string[] | null;
  reason?: string | null;
}
/**
 * What became of the change. `message` says it to a person, also where nothing was done, and why.
 */
export interface ChangeResult {
  change: string;
  state: "draft" | "checked" | "proposed" | "applied" | "rejected" | "stale" | "undone";
  message: string;
}
/**
 * Take an applied change back, at any later time. Refused where its lines were edited since (`data.stale` of the
 * error names those files); edits of other lines stay. `uri` takes back what the change did to that file alone.
 * `merge` writes nothing: the way back is proposed as a change of its own, with later edits merged in, and places
 * that only the person can decide between marks.
 */
export interface UndoArgument {
  change: string;
  uri?: string | null;
  merge?: boolean | null;
}
/**
 * The whole list in the order wanted. An item that is not in it is dropped, save one that is done.
 *
 * It may be edited while the task runs, and after that as long as the task is the newest of its session: a plan is
 * edited before it is run.
 */
export interface TodoArgument {
  task: string;
  /**
   * @maxItems 200
   */
  items: TodoEdit[];
}
/**
 * The list as it stands now.
 */
export interface TodoResult {
  task: string;
  items: TodoItem[];
}
/**
 * One item of the to-do list. `by` says who wrote it; `harness` is Kaaj itself.
 */
export interface TodoItem {
  id: string;
  title: string;
  status: "pending" | "running" | "done" | "failed" | "skipped";
  by: "model" | "user" | "harness";
  evidence?: Evidence;
}
/**
 * Why a to-do item counts as done: hunks (by id) that serve it, the check that passed, or why none was needed.
 */
export interface Evidence {
  hunks: string[];
  check: string;
  note: string;
}
/**
 * Without `session`, the one that was last active.
 */
export interface SnapshotArgument {
  session?: string | null;
}
/**
 * All that a client needs to draw itself anew.
 *
 * `session` is the one shown, absent where there is none yet. `seq` is its last event in here: events up to it are
 * skipped, the next one is `seq + 1`. `approvals` are those still pending. `server` is Kaaj's version.
 * `model` is absent until one is connected. `mode` is the setting. `restricted`: the workspace is not trusted, so
 * tasks only plan, nothing runs, and nothing is applied.
 */
export interface SnapshotResult {
  version: 1;
  server: string;
  sessions: SessionInfo[];
  seq: number;
  tasks: TaskInfo[];
  changes: Change[];
  transcript: TranscriptEntry[];
  approvals: Approval[];
  mode: "plan" | "ask" | "auto";
  restricted: boolean;
  model?: ModelInfo;
  session?: string;
}
/**
 * One session, newest first in a list. `title` is its first prompt, cut to a line; `updated` is its last event.
 *
 * `prompts` are all its prompts for searching, oldest first, each cut to a line of 120 characters; at most the last
 * 50.
 */
export interface SessionInfo {
  id: string;
  title: string;
  started: number;
  updated: number;
  running: boolean;
  prompts: string[];
}
/**
 * One task of a session, oldest first in a list. `ended` is absent while it runs.
 *
 * `context` is what was handed along with the prompt, if anything was.
 */
export interface TaskInfo {
  id: string;
  prompt: string;
  mode: "plan" | "ask" | "auto";
  status: "running" | "done" | "stopped" | "cancelled" | "failed";
  summary: string;
  todo: TodoItem[];
  usage: Usage;
  started: number;
  ended?: number;
  context?: ContextItem[];
}
/**
 * Tokens as the endpoint counts them; `cached_tokens` is the part of `prompt_tokens` that came from its cache.
 * `cost` is in the currency of the setting `prices`, absent where no price is known, 0 for the embedded model.
 *
 * `context_tokens` is what the last prompt took of `context_window`, both in tokens; 0 where it is not known.
 */
export interface Usage {
  requests: number;
  prompt_tokens: number;
  cached_tokens: number;
  completion_tokens: number;
  context_tokens: number;
  context_window: number;
  cost?: number;
}
/**
 * One change set, whole: a later one with the same `id` takes its place.
 *
 * States go draft → checked → proposed → applied | rejected | stale, and applied → undone. `digest` covers every
 * path, base and new text; it is what `kaaj.accept` and `kaaj.reject` must name, and it differs as soon as what was
 * proposed differs. `files` are in the order in which they were first touched. `check` is there from `checked` on.
 * `applied` names the hunks that were taken, and is there while the state is `applied`.
 */
export interface Change {
  id: string;
  task: string;
  digest: string;
  state: "draft" | "checked" | "proposed" | "applied" | "rejected" | "stale" | "undone";
  summary: string;
  files: FileChange[];
  check?: Check;
  applied?: string[];
}
/**
 * What becomes of one file. `new_uri` is there only where the file is renamed. `warning` tells what is odd about
 * its name, or what a program does with such a file by itself.
 *
 * Hunks are in the order of the text and do not touch. A file that is created, deleted or only renamed has exactly
 * one, so that it too can be refused.
 */
export interface FileChange {
  uri: string;
  kind: "edit" | "create" | "delete" | "rename";
  hunks: Hunk[];
  new_uri?: string;
  warning?: string;
}
/**
 * One piece of a file's change that can be taken or refused on its own: whole lines.
 *
 * `range` lies in the text that the change was made for (`old` stands there; an insertion has an empty range).
 * `old` and `new` are exact, line ends included. `todo` is the id of the to-do item that the hunk serves. `warning`
 * tells what a look at the new lines does not show, such as invisible characters: show it wherever the hunk is shown.
 */
export interface Hunk {
  id: string;
  range: Range;
  old: string;
  new: string;
  todo?: string;
  warning?: string;
}
/**
 * What checking the change in the shadow workspace gave.
 *
 * `status` is `none` where there was no command to run, or it was not allowed. `parsed` says whether each touched
 * file parses. `seconds` is wall time. `output` is what the command printed, at most 16 KB, the cut told in it.
 * `exit_code` is absent where no command ran to its end.
 */
export interface Check {
  status: "passed" | "failed" | "none";
  command: string;
  output: string;
  seconds: number;
  parsed: boolean;
  sandboxed: boolean;
  exit_code?: number;
}
/**
 * One entry of the conversation, in order.
 *
 * `user` is a prompt, `model` its prose, `tool` a call (`text` is its title, `detail` its summary), `notice` a word
 * from Kaaj. `ok` is there for a call that ended, `uri` for one that concerns a file, `level` for a notice.
 */
export interface TranscriptEntry {
  kind: "user" | "model" | "tool" | "notice";
  seq: number;
  time: number;
  text: string;
  task?: string;
  detail?: string;
  tool?: string;
  call?: string;
  ok?: boolean;
  uri?: string;
  level?: "info" | "warning" | "error";
}
/**
 * An open question that only the person may decide: a `command` to run, a workspace's `check` command, or a file
 * that holds a `secret`, to be read or written.
 *
 * The question itself is put with the request `window/showMessageRequest`, to every client, and answered there; this
 * shape tells that it is open. `choices` are in the order shown. (A change to apply needs none: it is `proposed`.)
 */
export interface Approval {
  id: string;
  task: string;
  kind: "command" | "check" | "secret";
  title: string;
  detail: string;
  choices: string[];
}
/**
 * The model that is connected. `context_window` counts tokens; `embedded` runs inside Kaaj and costs nothing.
 */
export interface ModelInfo {
  name: string;
  context_window: number;
  embedded: boolean;
}
/**
 * Start a task that mends the problems in `range`.
 *
 * Without `diagnostics` those that the server knows there are meant, and if it knows none the text is looked at.
 */
export interface FixArgument {
  uri: string;
  range: Range;
  diagnostics?: Diagnostic[] | null;
}
/**
 * A problem as the editor has it. Its other fields (`tags`, `data`, ...) may be sent along and are skipped.
 */
export interface Diagnostic {
  range: Range;
  message: string | Markup;
  severity?: number | null;
  code?: string | number | null;
  source?: string | null;
}
/**
 * Text with its kind, as LSP has it.
 */
export interface Markup {
  kind: string;
  value: string;
}
/**
 * Delete a session from the history. Refused while it runs.
 */
export interface ForgetArgument {
  session: string;
}
/**
 * `forgotten` is false where it could not be deleted from the disk.
 */
export interface ForgetResult {
  session: string;
  forgotten: boolean;
}
/**
 * The first event of a task. `uri` is the document it was started from, `context` what was handed along, if any.
 */
export interface TaskStarted {
  session: string;
  seq: number;
  time: number;
  type: "task_started";
  task: string;
  prompt: string;
  mode: "plan" | "ask" | "auto";
  model: string;
  uri?: string;
  context?: ContextItem[];
}
/**
 * A piece of the model's prose, in order. Pieces between two other events of the task are one paragraph.
 *
 * `reset` is there where the reply begins anew (its stream was cut): what came of that paragraph so far is void.
 */
export interface Text {
  session: string;
  seq: number;
  time: number;
  type: "text";
  task: string;
  text: string;
  reset?: true;
}
/**
 * A tool is about to run. `title` is one line for a person; `uri` is the file concerned, if there is one.
 */
export interface ToolStarted {
  session: string;
  seq: number;
  time: number;
  type: "tool_started";
  task: string;
  call: string;
  tool: string;
  title: string;
  uri?: string;
}
/**
 * What a tool that runs is just at: `note` is one line for a person, in the place of the one before.
 */
export interface ToolProgress {
  session: string;
  seq: number;
  time: number;
  type: "tool_progress";
  task: string;
  call: string;
  note: string;
}
/**
 * The end of the `call` of that id; `summary` is one line for a person.
 *
 * `ok` is false where the tool refused, failed, or was cancelled.
 */
export interface ToolFinished {
  session: string;
  seq: number;
  time: number;
  type: "tool_finished";
  task: string;
  call: string;
  ok: boolean;
  summary: string;
}
/**
 * The task's whole to-do list, in the order in which it is worked on. It replaces the one before.
 *
 * `by` says who changed it.
 */
export interface Todo {
  session: string;
  seq: number;
  time: number;
  type: "todo";
  task: string;
  items: TodoItem[];
  by: "model" | "user" | "harness";
}
/**
 * A change set, whole, after each change of its state or content. It replaces the one with the same id.
 */
export interface ChangeEvent {
  session: string;
  seq: number;
  time: number;
  type: "change";
  task: string;
  change: Change;
}
/**
 * A question was put to the person (`pending`), or it is settled (`resolved`). Each id comes exactly twice.
 *
 * `approval` is there while pending. `answer` is there once resolved, and then absent where nobody answered.
 */
export interface ApprovalEvent {
  session: string;
  seq: number;
  time: number;
  type: "approval";
  task: string;
  id: string;
  state: "pending" | "resolved";
  approval?: Approval;
  answer?: string;
}
/**
 * The task's tokens so far, as a sum over its requests. It comes after each request to the model.
 */
export interface UsageEvent {
  session: string;
  seq: number;
  time: number;
  type: "usage";
  task: string;
  usage: Usage;
}
/**
 * Something a person should know, in `message`: what happened, what was kept, what to do next.
 *
 * `task` is absent where the notice concerns the session as a whole.
 */
export interface Notice {
  session: string;
  seq: number;
  time: number;
  type: "notice";
  level: "info" | "warning" | "error";
  message: string;
  task?: string;
}
/**
 * The last event of a task's run. `summary` is for a person.
 */
export interface TaskFinished {
  session: string;
  seq: number;
  time: number;
  type: "task_finished";
  task: string;
  status: "done" | "stopped" | "cancelled" | "failed";
  summary: string;
}
/**
 * The parameters and the answer of each request from the server to the client.
 */
export interface KaajRequests {
  "kaaj/diagnostics": {
    params: DiagnosticsQuery;
    result: DiagnosticsAnswer;
  };
}
/**
 * The problems that the editor shows now, of all sources: of the file `uri`, or without it of every file.
 */
export interface DiagnosticsQuery {
  uri?: string;
}
/**
 * Every file that has problems. One that was asked for and is not in it has none.
 */
export interface DiagnosticsAnswer {
  /**
   * @maxItems 1000
   */
  files: FileDiagnostics[];
}
/**
 * The problems of one file.
 */
export interface FileDiagnostics {
  uri: string;
  /**
   * @maxItems 1000
   */
  diagnostics: Diagnostic[];
}
/**
 * Every setting with its default. An empty text or list means: not set, Kaaj finds out by itself.
 */
export interface KaajSettings {
  /**
   * Address of an OpenAI-compatible endpoint, up to and including /v1. Of several, the next one is used where one fails. Empty: KAAJ_BASE_URL, then a local server that answers, then the embedded model.
   */
  baseUrl?: string | string[];
  /**
   * Key for the endpoint. Better kept in the environment, as KAAJ_API_KEY. It is never logged.
   */
  apiKey?: string;
  /**
   * Name of the model at the endpoint. Empty: KAAJ_MODEL, then the best one that the endpoint lists.
   */
  model?: string;
  /**
   * plan: write the to-do list and stop. ask: propose a change and wait for your decision. auto: apply it once the checks pass.
   */
  mode?: "plan" | "ask" | "auto";
  /**
   * Shell command that checks a change in the shadow workspace: 0 means good. Empty: found by looking at the project, and asked for once. none: nothing is run.
   */
  check?: string;
  /**
   * Seconds that the check may take.
   */
  checkTimeout?: number;
  /**
   * auto: commands run inside bubblewrap (no network, home hidden) where it is there, else each is asked for. required: without bubblewrap no command runs. off: bubblewrap is not used, each command is asked for.
   */
  sandbox?: "auto" | "required" | "off";
  /**
   * off: no command in the sandbox has the network. ask: you are asked whether a command that wants it, such as `npm ci`, may have it.
   */
  network?: "off" | "ask";
  /**
   * Seconds that one command of the model may take.
   */
  commandTimeout?: number;
  /**
   * How the model is led. agentic: it uses the tools freely. guided: step by step, for small models. auto: whichever suits the model.
   */
  loop?: "auto" | "agentic" | "guided";
  /**
   * The model that runs inside Kaaj where no endpoint is there, and that tries its hand at a fix first where one is and this model is on the machine: a name that `kaaj model list` shows, or empty to never use one.
   */
  embeddedModel?: string;
  /**
   * Tokens that the model can see at once. 0: asked from the endpoint.
   */
  contextWindow?: number;
  /**
   * Requests to the model that one task may make.
   */
  maxSteps?: number;
  /**
   * Tokens that one task may use: replies, and what of the prompts did not come from a cache.
   */
  maxTokens?: number;
  /**
   * Seconds that one task may take, your own time to decide not counted.
   */
  maxSeconds?: number;
  /**
   * Seconds after which a task that is led step by step gives up; `keep trying` goes on with it.
   */
  guidedSeconds?: number;
  /**
   * Seconds that a task led step by step may spend on one item of its list.
   */
  guidedItemSeconds?: number;
  /**
   * How freely the model draws its words, 0 to 2. Unset: what suits the model.
   */
  temperature?: number | null;
  /**
   * Of the likeliest words, the share of probability that is drawn from. Unset: what suits the model.
   */
  topP?: number | null;
  /**
   * How many of the likeliest words are drawn from, 0 for all. Unset: what suits the model.
   */
  topK?: number | null;
  /**
   * How much less likely words become that were written before; 1 is not at all. Unset: what suits the model.
   */
  repetitionPenalty?: number | null;
  /**
   * How the model calls tools: by the endpoint's own means (`native`), or in the text, as Qwen3-Coder (`xml`) or Qwen2.5 (`hermes`) do it. `auto`: natively, else by the model's name.
   */
  toolCalls?: "auto" | "native" | "xml" | "hermes";
  /**
   * Makes the model's draws repeatable where the endpoint can. Unset: new ones each time.
   */
  seed?: number | null;
  /**
   * What a million tokens cost at the endpoint, so that a task can tell its cost: `input` (prompt), `cached` (prompt from the cache), `output` (replies). Unset: no cost is told.
   */
  prices?: Prices | null;
  /**
   * Withhold .env files, private keys and their like from the model.
   */
  hideSecrets?: boolean;
  /**
   * Names of further files and folders to withhold, with * for anything; a ! in front takes a name off the list that is built in, such as !*.key.
   */
  secretFiles?: string[];
  /**
   * MCP servers by name, each {command, args?, env?} or {url, headers?}, with `allow`, the tools that run without being asked for. A server is started when the model first uses it.
   */
  mcp?: {
    [k: string]: McpServer;
  };
}
/**
 * What the endpoint takes for a million tokens, in any currency.
 */
export interface Prices {
  /**
   * For a million tokens of the prompt that came from no cache.
   */
  input: number;
  /**
   * For a million tokens of the replies.
   */
  output: number;
  /**
   * For a million tokens of the prompt that came from the cache. Unset: as `input`.
   */
  cached?: number;
}
/**
 * A server of other tools (Model Context Protocol): a `command` to start, or a `url`.
 *
 * This interface was referenced by `undefined`'s JSON-Schema definition
 * via the `patternProperty` "^[\w-]{1,64}$".
 */
export interface McpServer {
  /**
   * The program to start; it speaks over stdin and stdout.
   */
  command?: string;
  /**
   * Its arguments.
   */
  args?: string[];
  /**
   * What it gets in its environment beside PATH, HOME and TERM.
   */
  env?: {
    [k: string]: string;
  };
  /**
   * Instead of a command: where the server answers by HTTP.
   */
  url?: string;
  /**
   * What is sent along with each request to the `url`, such as `Authorization`.
   */
  headers?: {
    /**
     * This interface was referenced by `undefined`'s JSON-Schema definition
     * via the `patternProperty` "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$".
     */
    [k: string]: string;
  };
  /**
   * Tools that run without being asked for; `*` for all of them.
   */
  allow?: string[];
}

export const PROTOCOL_VERSION = 1;

/** The settings that are the server's and can be set in VS Code. */
export const SERVER_SETTINGS = [
  "baseUrl",
  "model",
  "mode",
  "check",
  "checkTimeout",
  "sandbox",
  "network",
  "commandTimeout",
  "loop",
  "embeddedModel",
  "contextWindow",
  "maxSteps",
  "maxTokens",
  "maxSeconds",
  "guidedSeconds",
  "guidedItemSeconds",
  "temperature",
  "topP",
  "topK",
  "repetitionPenalty",
  "toolCalls",
  "seed",
  "prices",
  "hideSecrets",
  "secretFiles",
  "mcp",
] as const;
