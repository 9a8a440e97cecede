// What the chat's webview asks for, done.
import { commands, env, Range as VsRange, Uri, window, workspace } from "vscode";
import type { Kaaj } from "../kaaj";
import { inert } from "../plainText";
import type { SessionView } from "../state/projection";
import type { ChatView } from "./chatView";
import { dropped } from "./dropped";
import type { Highlighting } from "./colour/highlighting";
import type { Mentions } from "./mentions";
import type { Deed, ToHost } from "./messages";
import { openPath } from "./openPath";
import type { Starting } from "./starting";

export interface Parts {
  readonly kaaj: Kaaj;
  readonly chat: ChatView;
  readonly starting: Starting;
  readonly mentions: Mentions;
  readonly highlighting: Highlighting;
}

const DEEDS: Record<Deed, string> = {
  restart: "kaaj.ui.restart",
  install: "kaaj.ui.install",
  update: "kaaj.ui.update",
  updateExtension: "kaaj.ui.updateExtension",
  log: "kaaj.ui.showLog",
  trust: "workbench.trust.manage",
  settings: "kaaj.ui.settings",
  openFolder: "workbench.action.files.openFolder",
  questions: "notifications.showList",
};

/** Do it. What is refused is said in the webview, beside the text field. */
export async function answer(parts: Parts, message: ToHost): Promise<void> {
  try {
    await act(parts, message);
  } catch (error) {
    parts.chat.post({ type: "problem", message: error instanceof Error ? error.message : String(error) });
  }
}

async function act({ kaaj, chat, starting, mentions, highlighting }: Parts, message: ToHost): Promise<void> {
  const task = async (id: string) => (await shownSession(kaaj, chat))?.tasks.find((one) => one.id === id);
  switch (message.type) {
    case "ready":
      highlighting.greet();
      return;
    case "send":
      await starting.prompt(message.prompt, message.mode, message.context);
      chat.post({ type: "sent" });
      return;
    case "retry": {
      const again = await task(message.task);
      if (again) await starting.retry(again);
      return;
    }
    case "runPlan": {
      const plan = await task(message.task);
      if (plan) await starting.runPlan(plan);
      return;
    }
    case "stop":
      await kaaj.server.run("kaaj.cancel", { task: message.task });
      return;
    case "change":
      return decide(kaaj, chat, message);
    case "open":
      return open(Uri.parse(message.uri), message.range);
    case "path":
      return openPath(message.path);
    case "copy":
      await env.clipboard.writeText(message.text);
      return;
    case "insert":
      return insert(message.text);
    case "highlight":
      highlighting.take(message);
      return;
    case "mention":
      chat.post({ type: "candidates", request: message.request, rows: await mentions.find(message.query) });
      return;
    case "drop": {
      const { items, problems } = await dropped(message.uris);
      chat.post({ type: "attached", items });
      if (problems.length > 0) chat.post({ type: "problem", message: problems.join(" ") });
      return;
    }
    case "sessions":
      return sessions(kaaj, chat);
    case "show":
      return chat.show(message.session);
    case "forget":
      return forget(kaaj, chat, message.session);
    case "deed":
      await commands.executeCommand(DEEDS[message.deed]);
      return;
  }
}

/** The session on view. Where the server was started anew it is there again with its snapshot, which is waited for. */
async function shownSession(kaaj: Kaaj, chat: ChatView): Promise<SessionView | undefined> {
  const { session } = chat.shown;
  if (!chat.session && session !== undefined) await kaaj.store.sync(session);
  return chat.session;
}

/** By the trees' own commands, but only for the change as the person saw it: what has moved on is looked at again. */
async function decide(kaaj: Kaaj, chat: ChatView, message: Extract<ToHost, { type: "change" }>): Promise<void> {
  const { action, change, digest, file, hunk } = message;
  const now = (await shownSession(kaaj, chat))?.changes.find(({ id }) => id === change);
  if (now?.digest !== digest) throw new Error("The change has moved on since. Look at it once more, then decide.");
  const part = { change, ...(file === undefined ? {} : { file }), ...(hunk === undefined ? {} : { hunk }) };
  await commands.executeCommand(action === "show" ? "kaaj.ui.showChange" : `kaaj.ui.${action}`, part);
}

async function open(uri: Uri, range: { start: { line: number; character: number } } | undefined): Promise<void> {
  const at = range ? new VsRange(range.start.line, range.start.character, range.start.line, range.start.character) : undefined;
  await window.showTextDocument(uri, { preview: true, ...(at ? { selection: at } : {}) });
}

async function insert(text: string): Promise<void> {
  const editor = window.activeTextEditor;
  if (!editor) throw new Error("Open a file first: the text goes to where its cursor is.");
  const done = await editor.edit((edit) => {
    for (const selection of editor.selections) edit.replace(selection, text);
  });
  if (!done) throw new Error(`${workspace.asRelativePath(editor.document.uri)} cannot be edited now.`);
}

async function sessions(kaaj: Kaaj, chat: ChatView): Promise<void> {
  const { session } = chat.shown;
  const snapshot = await kaaj.server.run("kaaj.snapshot", session === undefined ? {} : { session });
  chat.post({ type: "sessions", sessions: snapshot.sessions, shown: session ?? null });
}

async function forget(kaaj: Kaaj, chat: ChatView, session: string): Promise<void> {
  const remove = "Delete";
  const detail = "Its conversation and its changes can then no longer be looked at or undone. Your files stay as they are.";
  const title = (await kaaj.server.run("kaaj.snapshot", {})).sessions.find(({ id }) => id === session)?.title;
  const question = title ? `Delete “${inert(title, 80)}”?` : "Delete this session?";
  const answered = await window.showWarningMessage(question, { modal: true, detail }, remove);
  if (answered !== remove) return;
  const { forgotten } = await kaaj.server.run("kaaj.forget", { session });
  kaaj.store.forget(session);
  if (!forgotten) throw new Error("The session could not be deleted from the disk.");
  if (chat.shown.session === session) await chat.show(undefined);
  await sessions(kaaj, chat);
}
