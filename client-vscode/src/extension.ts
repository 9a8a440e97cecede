// The thin client: it starts the server, draws what the server says, and passes on what the person asks for.
import { StatusBarAlignment, ThemeColor, window, workspace, type ExtensionContext } from "vscode";
import { registerCommands } from "./commands";
import { conversationText } from "./conversation";
import { EMPTY, progressOf, withEvent, withSnapshot, type ViewState } from "./projection";
import type { KaajEvent } from "./protocol.gen";
import { Review, SCHEME } from "./review";
import { Server } from "./server";
import { statusText, type ServerState } from "./statusText";
import { TaskTree } from "./taskTree";

let server: Server | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  const log = window.createOutputChannel("Kaaj", { log: true });
  const conversation = window.createOutputChannel("Kaaj: conversation");
  const status = window.createStatusBarItem("kaaj.status", StatusBarAlignment.Left);
  status.name = "Kaaj";
  const tree = new TaskTree();
  const review = new Review();
  let state: ViewState = EMPTY;
  let serverState: ServerState = "starting";
  /** Sessions whose snapshot is on its way, with the events that came meanwhile. */
  const awaited = new Map<string | undefined, KaajEvent[]>();

  const draw = (): void => {
    const { text, tooltip, alert } = statusText(serverState, progressOf(state));
    status.text = text;
    status.tooltip = tooltip;
    status.command = serverState === "stopped" ? "kaaj.ui.restart" : "kaaj.tasks.focus";
    status.backgroundColor = alert ? new ThemeColor("statusBarItem.warningBackground") : undefined;
    status.show();
    tree.show(state);
  };

  const resync = async (session: string | undefined): Promise<void> => {
    if (awaited.has(session)) return;
    awaited.set(session, []);
    try {
      state = withSnapshot(state, await own.run("kaaj.snapshot", session === undefined ? {} : { session }));
    } catch (error) {
      log.error(`The snapshot did not come: ${String(error)}`);
      awaited.delete(session);
      return;
    }
    const late = awaited.get(session) ?? [];
    awaited.delete(session);
    for (const event of late) {
      const step = withEvent(state, event);
      if (step.kind === "next") state = step.state;
      else if (step.kind === "gap") log.error(`Events before ${event.seq} of ${event.session} are missing.`);
    }
    draw();
  };

  const take = (event: KaajEvent): void => {
    const waiting = awaited.get(event.session);
    if (waiting) {
      waiting.push(event);
      return;
    }
    const step = withEvent(state, event);
    if (step.kind === "next") {
      state = step.state;
    } else if (step.kind === "gap") {
      void resync(event.session);
      awaited.get(event.session)?.push(event);
    }
  };

  const own = new Server(log, {
    onEvent: (event) => {
      take(event);
      conversation.append(conversationText(event));
      if (event.type === "notice" && event.level === "warning") void window.showWarningMessage(`Kaaj: ${event.message}`);
      if (event.type === "notice" && event.level === "error") void window.showErrorMessage(`Kaaj: ${event.message}`);
      if (event.type !== "text") draw();
    },
    onState: (now) => {
      serverState = now;
      // A new process numbers nothing that the old one did not log, but what it says counts alone.
      if (now === "starting") state = EMPTY;
      if (now === "running") void resync(undefined);
      draw();
    },
  });
  server = own;

  context.subscriptions.push(
    log,
    conversation,
    status,
    window.registerTreeDataProvider("kaaj.tasks", tree),
    workspace.registerTextDocumentContentProvider(SCHEME, review),
    workspace.onDidCloseTextDocument((document) => {
      if (document.uri.scheme === SCHEME) review.forget(document.uri);
    }),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("kaaj.path")) void own.restart();
    }),
    ...registerCommands({ server: own, review, conversation, state: () => state }),
  );
  draw();
  try {
    await own.start();
  } catch (error) {
    log.error(`The server did not start: ${String(error)}`);
  }
}

export async function deactivate(): Promise<void> {
  await server?.stop();
}
