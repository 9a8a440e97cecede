// The thin client: it starts the server, draws what the server says, and passes on what the person asks for.
// Here the parts are put together; each feature is a folder, and knows the others only through `Kaaj`.
import { EventEmitter, window, workspace, type ExtensionContext } from "vscode";
import { createReview, registerChanges } from "./changes/changes";
import { registerConversationLog } from "./chat/outputLog";
import { registerEditor } from "./editor/editor";
import { register, type Kaaj } from "./kaaj";
import { registerNotifications } from "./notify/notify";
import { Server, type ServerState } from "./server/server";
import { Store } from "./state/store";
import { registerNotices } from "./status/notices";
import { registerStatusBar } from "./status/statusBar";
import { registerTasks } from "./tasks/tasks";

let running: Server | undefined;

export async function activate(context: ExtensionContext): Promise<void> {
  const log = window.createOutputChannel("Kaaj", { log: true });
  const states = new EventEmitter<ServerState>();
  let serverState: ServerState = "starting";
  const store = new Store((session) => server.run("kaaj.snapshot", session === undefined ? {} : { session }), log);
  const server = new Server(log, {
    onEvent: (event) => {
      store.take(event);
    },
    onState: (now) => {
      serverState = now;
      // A new process numbers nothing that the old one did not log, but what it says counts alone.
      if (now === "starting") store.clear();
      if (now === "running") void store.sync(undefined);
      states.fire(now);
    },
  });
  running = server;
  const kaaj: Kaaj = {
    store,
    server,
    get serverState() {
      return serverState;
    },
    onServerState: states.event,
  };
  const review = createReview(kaaj);

  context.subscriptions.push(
    log,
    states,
    store,
    ...registerStatusBar(kaaj),
    ...registerNotices(kaaj),
    ...registerConversationLog(kaaj),
    ...registerTasks(kaaj, review),
    ...registerChanges(kaaj, review),
    ...registerEditor(kaaj),
    ...registerNotifications(kaaj),
    register("kaaj.ui.restart", () => server.restart()),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("kaaj.path")) void server.restart();
    }),
  );
  try {
    await server.start();
  } catch (error) {
    log.error(`The server did not start: ${String(error)}`);
  }
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}
