// Code blocks in the colours of the editor: the grammars of its language extensions, the rules of its colour theme.
// The work is done by a thread that is started with the first code block; see worker.ts.
import { Worker } from "node:worker_threads";
import { Disposable, extensions, Uri, window, workspace } from "vscode";
import type { Palette, ToWebview } from "../messages";
import { activeTheme } from "./activeTheme";
import { Grammars } from "./grammars";
import { fallback } from "./themeFile";
import type { FromWorker, Request, ToWorker, WorkerData } from "./thread";

/** A thread that dies this often stays dead: code is then plain. */
const DEATHS = 3;

export class Highlighting {
  private worker: Worker | undefined;
  private grammars = new Grammars();
  private palette: Palette | undefined;
  /** Counts the themes, and what the colours of the newest one stand for. */
  private round = 0;
  private names: ReadonlyMap<string, string> | undefined;
  private deaths = 0;
  private readonly owned: Disposable;

  constructor(
    private readonly post: (message: ToWebview) => void,
    private readonly extension: Uri,
  ) {
    this.owned = Disposable.from(
      window.onDidChangeActiveColorTheme(() => void this.recolour()),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("editor.tokenColorCustomizations")) void this.recolour();
      }),
      extensions.onDidChange(() => {
        this.end();
        this.grammars = new Grammars();
      }),
    );
  }

  take(request: Request): void {
    const scope = this.grammars.scopeOf(request.language);
    if (scope === undefined) return;
    if (!this.worker && this.deaths < DEATHS) {
      this.worker = this.start();
      void this.recolour();
    }
    this.say({ type: "take", request, scope });
  }

  /** The webview is made anew, and with it the numbers of its blocks. */
  greet(): void {
    this.say({ type: "greet" });
    if (this.palette) this.post({ type: "palette", palette: { ...this.palette, renewed: false } });
  }

  dispose(): void {
    this.end();
    this.owned.dispose();
  }

  private say(message: ToWorker): void {
    this.worker?.postMessage(message);
  }

  private start(): Worker {
    const out = Uri.joinPath(this.extension, "out");
    const data: WorkerData = { wasm: Uri.joinPath(out, "onig.wasm").fsPath, ...this.grammars.paths() };
    const worker = new Worker(Uri.joinPath(out, "colours.js").fsPath, { workerData: data });
    worker.on("message", (message: FromWorker) => {
      if (this.worker === worker) this.hear(message);
    });
    worker.on("error", () => {
      this.deaths += 1;
      if (this.worker === worker) this.worker = undefined;
    });
    worker.unref();
    return worker;
  }

  private end(): void {
    void this.worker?.terminate();
    this.worker = undefined;
  }

  private hear(message: FromWorker): void {
    if (message.type === "tokens") {
      this.post(message);
      return;
    }
    if (message.round !== this.round) return; // of a theme that was left already
    const inherit = "inherit";
    const colours = message.colours.map((colour, index) => {
      if (index <= 1) return inherit; // what no rule colours has the colour of the text around
      return this.names ? (this.names.get(colour) ?? inherit) : colour;
    });
    // Whatever was asked before this theme came is asked for once more.
    this.palette = { colours, renewed: true };
    this.post({ type: "palette", palette: this.palette });
  }

  private async recolour(): Promise<void> {
    if (!this.worker) return;
    const round = ++this.round;
    const own = await activeTheme();
    if (round !== this.round) return;
    const plain = own ? undefined : fallback();
    this.names = plain?.names;
    const theme = own ?? plain?.theme;
    if (theme) this.say({ type: "theme", theme, round });
  }
}
