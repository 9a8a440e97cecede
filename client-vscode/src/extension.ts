// The thin client: it starts the server, draws what the server says, and passes on what the person asks for.
// Here the parts are put together; each feature is a folder, and knows the others only through `Kaaj`.
import { EventEmitter, window, workspace, type ExtensionContext } from "vscode";
import { createReview, registerChanges } from "./changes/changes";
import { registerChat } from "./chat/chat";
import { registerEditor } from "./editor/editor";
import type { Kaaj } from "./kaaj";
import { registerNotifications } from "./notify/notify";
import { Locator } from "./server/locate";
import { Server } from "./server/server";
import { stateOf, type ServerState, type ServerStatus } from "./server/serverStatus";
import { ApiKey, registerApiKey } from "./setup/apiKey";
import { Installer, registerInstall } from "./setup/install";
import { Models, registerModels } from "./setup/model";
import { registerWalkthrough, Sample } from "./setup/sample";
import { Store } from "./state/store";
import { registerNotices } from "./status/notices";
import { registerServerNotices } from "./status/serverNotices";
import { registerStatusBar } from "./status/statusBar";
import { registerTasks } from "./tasks/tasks";

let running: Server | undefined;

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("Kaaj", { log: true });
  const statuses = new EventEmitter<ServerStatus>();
  const states = new EventEmitter<ServerState>();
  let state: ServerState = "starting";
  const store = new Store((session) => server.run("kaaj.snapshot", session === undefined ? {} : { session }), log);
  const locator = new Locator(context, log);
  const key = new ApiKey(context);
  const server = new Server(log, {
    find: () => locator.find(),
    apiKey: () => key.get(),
    onEvent: (event) => {
      store.take(event);
    },
    onStatus: (status) => {
      const before = state;
      state = stateOf(status);
      if (status.kind === "running" && before !== "running") {
        // What the old process said holds no more; it stood until now so that a restart does not empty the views.
        store.clear();
        void firstSnapshot(status);
      }
      statuses.fire(status);
      if (state !== before) states.fire(state);
    },
  });
  /** Without it sessions and changes from before are missing, though the server runs: that must not look well. */
  const firstSnapshot = async (status: ServerStatus): Promise<void> => {
    for (const wait of [0, 1_000, 4_000]) {
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (server.status !== status || (await store.sync(undefined))) return;
    }
    if (server.status === status) {
      server.trouble("Kaaj's server runs, but does not tell what it knows: earlier sessions and changes are not shown. Restart it; the log says more.");
    }
  };
  running = server;
  const kaaj: Kaaj = {
    store,
    server,
    get serverState() {
      return state;
    },
    onServerState: states.event,
    get serverStatus() {
      return server.status;
    },
    onServerStatus: statuses.event,
  };
  const review = createReview(kaaj);
  const sample = new Sample(context, kaaj);

  context.subscriptions.push(
    log,
    statuses,
    states,
    store,
    ...registerStatusBar(kaaj),
    ...registerServerNotices(kaaj, log, context.extension.id),
    ...registerNotices(kaaj),
    ...registerApiKey(key, () => void server.settingsChanged()),
    ...registerInstall(new Installer(locator, server, log), server),
    ...registerModels(new Models(locator)),
    ...registerWalkthrough(kaaj, sample),
    ...registerChat(kaaj, context),
    ...registerTasks(kaaj, review),
    ...registerChanges(kaaj, review),
    ...registerEditor(kaaj),
    ...registerNotifications(kaaj),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("kaaj.path")) void server.restart();
    }),
    // The server learns of trust when it starts; what it was not allowed to read it then reads.
    workspace.onDidGrantWorkspaceTrust(() => void server.restart()),
  );
  void server.start();
  void key.offerToMove();
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}
