// The sidebar's chat: a webview that draws the shown session, and what it asks for. All that it knows it is sent anew
// whenever it is made, so that it may be thrown away while it is hidden.
import { commands, Disposable, EventEmitter, workspace, type Uri, type WebviewView, type WebviewViewProvider } from "vscode";
import type { Kaaj } from "../kaaj";
import { firstLine } from "../plainText";
import type { KaajEvent, SnapshotResult } from "../protocol.gen";
import { EMPTY, type SessionView } from "../state/projection";
import { toHost, type Speech, type Standing, type ToHost, type ToWebview } from "./messages";
import { page } from "./page";
import { Shown } from "./shown";

export class ChatView implements WebviewViewProvider {
  static readonly id = "kaaj.chat";
  readonly shown = new Shown();
  private view: WebviewView | undefined;
  private ready = false;
  private waiting: ToWebview[] = [];
  private last: SnapshotResult | undefined;
  private asked = false;
  private readonly said = new EventEmitter<ToHost>();
  private readonly owned: Disposable;

  /** What the webview asks for. */
  readonly onMessage = this.said.event;

  constructor(
    private readonly kaaj: Kaaj,
    private readonly extension: Uri,
  ) {
    const { store } = kaaj;
    this.owned = Disposable.from(
      this.said,
      store.onEvent((event) => {
        this.hear(event);
      }),
      store.onSnapshot((snapshot) => {
        this.take(snapshot);
      }),
      store.onChange(() => {
        this.tellStanding();
      }),
      kaaj.onServerStatus(() => {
        this.tellStanding();
      }),
      kaaj.onServerState((now) => {
        const { session } = this.shown;
        if (now === "running" && session !== undefined) void store.sync(session);
      }),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("kaaj")) this.tellStanding();
      }),
      workspace.onDidChangeWorkspaceFolders(() => {
        this.tellStanding();
      }),
    );
  }

  resolveWebviewView(view: WebviewView): void {
    this.view = view;
    this.ready = false;
    view.webview.options = { enableScripts: true, localResourceRoots: [this.extension] };
    view.webview.onDidReceiveMessage((raw: unknown) => {
      const message = toHost(raw);
      if (message?.type === "ready") this.welcome();
      if (message) this.said.fire(message);
    });
    view.onDidDispose(() => {
      if (this.view === view) this.view = undefined;
      this.ready = false;
    });
    view.webview.html = page(view.webview, this.extension);
  }

  /** The session on view, undefined where it is a new one. */
  get session(): SessionView | undefined {
    const { session } = this.shown;
    return session === undefined ? undefined : this.kaaj.store.state.get(session);
  }

  /** What the server told of itself last. */
  get about(): SnapshotResult | undefined {
    return this.last;
  }

  post(message: ToWebview): void {
    if (this.view && this.ready) void this.view.webview.postMessage(message);
  }

  /** As `post`, but kept until there is a webview to hear it. */
  tell(message: ToWebview): void {
    if (this.view && this.ready) this.post(message);
    else this.waiting.push(message);
  }

  async reveal(): Promise<void> {
    await commands.executeCommand(`${ChatView.id}.focus`);
    this.tell({ type: "focus" });
  }

  async show(session: string | undefined): Promise<void> {
    this.shown.choose(session);
    // Another client, or a session of the disk alone: its snapshot is asked for once more, which costs little.
    if (session !== undefined) await this.kaaj.store.sync(session);
    this.draw();
  }

  dispose(): void {
    this.owned.dispose();
  }

  private welcome(): void {
    this.ready = true;
    this.draw();
    for (const message of this.waiting.splice(0)) this.post(message);
  }

  private draw(): void {
    this.tellStanding();
    this.post({ type: "session", view: this.session ?? null });
  }

  private hear(event: KaajEvent): void {
    if (this.shown.heard(event, this.kaaj.store.state)) this.draw();
    else if (event.session === this.shown.session) this.post({ type: "event", event });
    // The model is known once it was asked for something.
    if (event.type === "usage" && !this.last?.model && !this.asked) {
      this.asked = true;
      void this.kaaj.store.sync(event.session);
    }
  }

  private take(snapshot: SnapshotResult): void {
    this.last = snapshot;
    this.asked = false;
    this.shown.snapshot(snapshot);
    if (snapshot.session === this.shown.session) this.draw();
  }

  private tellStanding(): void {
    const { view } = this;
    if (!view) return;
    const running = this.session?.tasks.some(({ status }) => status === "running") ?? false;
    void commands.executeCommand("setContext", "kaaj.chat.running", running);
    view.description = firstLine(this.session?.tasks[0]?.prompt ?? "", 60);
    this.post({ type: "standing", standing: this.standing() });
  }

  private standing(): Standing {
    const { kaaj, last } = this;
    return {
      server: kaaj.serverStatus,
      mode: last?.mode ?? "ask",
      restricted: last?.restricted ?? !workspace.isTrusted,
      model: last?.model,
      speech: workspace.getConfiguration("kaaj").get<Speech>("speech", "off"),
      folders: (workspace.workspaceFolders ?? []).map(({ uri }) => uri.toString()),
      elsewhere: this.shown.elsewhere(kaaj.serverState === "running" ? kaaj.store.state : EMPTY),
    };
  }
}
