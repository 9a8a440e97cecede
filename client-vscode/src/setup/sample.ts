// The sample of the walkthrough: a small project with one failing test, in a folder of the extension's own.
import { commands, Uri, ViewColumn, window, workspace, type ExtensionContext } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { changesOf } from "../state/projection";

const WALKTHROUGH = "kaaj.kaaj#start";
const GUIDE = "kaaj.sample.guide";
const SETTLED_MS = 1_500;
const FAULTY = ["shop", "prices.py"];
const PROMPT = "test_ten_pieces_are_ten_percent_off fails. Find the cause and fix it.";

export class Sample {
  private readonly folder: Uri;

  constructor(
    private readonly context: Pick<ExtensionContext, "globalState" | "globalStorageUri" | "extensionUri">,
    private readonly kaaj: Kaaj,
  ) {
    this.folder = Uri.joinPath(context.globalStorageUri, "sample-shop");
  }

  /** Whether this window has it open. */
  get isOpen(): boolean {
    return workspace.workspaceFolders?.some(({ uri }) => uri.toString() === this.folder.toString()) ?? false;
  }

  /** Make it, as it was at first, and open it: here where no folder is open, else in a new window. */
  async open(): Promise<void> {
    if (this.isOpen) return this.show();
    const { globalState, extensionUri } = this.context;
    await workspace.fs.copy(Uri.joinPath(extensionUri, "out", "sample"), this.folder, { overwrite: true });
    await globalState.update(GUIDE, true);
    await commands.executeCommand("vscode.openFolder", this.folder, {
      forceNewWindow: (workspace.workspaceFolders?.length ?? 0) > 0,
      forceReuseWindow: !workspace.workspaceFolders?.length,
    });
  }

  /** After the window was opened for it: what the person asked for goes on. */
  async goOn(): Promise<void> {
    if (!this.isOpen || !this.context.globalState.get<boolean>(GUIDE)) return;
    await this.context.globalState.update(GUIDE, undefined);
    await this.show();
  }

  async fix(): Promise<void> {
    if (!this.isOpen) return this.open();
    await commands.executeCommand("workbench.view.extension.kaaj");
    await this.kaaj.server.run("kaaj.start", { prompt: PROMPT, mode: "ask", uri: this.faulty.toString() });
  }

  private get faulty(): Uri {
    return Uri.joinPath(this.folder, ...FAULTY);
  }

  private async show(): Promise<void> {
    await window.showTextDocument(this.faulty, { preview: false, viewColumn: ViewColumn.One });
    await commands.executeCommand("workbench.action.openWalkthrough", { category: WALKTHROUGH, step: "fix" }, true);
  }
}

/** The walkthrough's steps are ticked off by what happened, not by what was clicked. */
export function registerWalkthrough(kaaj: Kaaj, sample: Sample): Owned[] {
  const told = new Map<string, boolean>();
  const say = async (key: string, value: boolean): Promise<void> => {
    if (told.get(key) === value) return;
    told.set(key, value);
    await commands.executeCommand("setContext", key, value);
  };
  let holding = false;
  const draw = (): void => {
    if (holding) return;
    const states = changesOf(kaaj.store.state).map(({ state }) => state);
    void say("kaaj.running", kaaj.serverState === "running");
    void say("kaaj.inSample", sample.isOpen);
    void say("kaaj.sampleProposed", sample.isOpen && states.some((state) => state === "proposed" || state === "applied"));
    void say("kaaj.sampleApplied", sample.isOpen && states.includes("applied"));
  };
  /** VS Code does not tick off what was so already when the walkthrough was first looked at: it is made so once more. */
  const opened = async (open: () => Promise<unknown>): Promise<void> => {
    holding = true;
    await Promise.all([...told.keys()].map((key) => say(key, false)));
    try {
      await open();
    } finally {
      setTimeout(() => {
        holding = false;
        draw();
      }, SETTLED_MS);
    }
  };
  void opened(() => sample.goOn());
  return [
    kaaj.onServerState(draw),
    kaaj.store.onChange(draw),
    kaaj.store.onSnapshot(({ model }) => {
      if (model) void say("kaaj.modelReady", true);
    }),
    register("kaaj.ui.openSample", () => sample.open()),
    register("kaaj.ui.fixSample", () => sample.fix()),
    register("kaaj.ui.walkthrough", () =>
      opened(async () => commands.executeCommand("workbench.action.openWalkthrough", WALKTHROUGH, false)),
    ),
  ];
}
