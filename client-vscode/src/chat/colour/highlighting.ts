// Code blocks in the colours of the editor: the grammars of its language extensions, the rules of its colour theme.
// A block is read line by line as it streams in, so that a line is read once however long the block gets.
import { readFile } from "node:fs/promises";
import { Disposable, extensions, Uri, window, workspace } from "vscode";
import type { IGrammar, Registry, StateStack } from "vscode-textmate";
import type { Palette, ToHost, ToWebview, TokenLine } from "../messages";
import { activeTheme } from "./activeTheme";
import { Grammars } from "./grammars";
import { fallback } from "./themeFile";

type Request = Extract<ToHost, { type: "highlight" }>;

interface Block {
  readonly grammar: IGrammar;
  state: StateStack;
  next: number;
}

/** Lines longer than this are left plain, as the editor leaves them. */
const LINE_MAX = 2000;
/** Milliseconds of work after which others in the extension host get their turn. */
const SLICE_MS = 8;

export class Highlighting {
  private registry: Promise<Registry> | undefined;
  private grammars: Grammars | undefined;
  private blocks = new Map<number, Block>();
  private palette: Palette | undefined;
  private work: Promise<void> = Promise.resolve();
  private readonly owned: Disposable;

  constructor(
    private readonly post: (message: ToWebview) => void,
    private readonly extension: Uri,
  ) {
    this.owned = Disposable.from(
      window.onDidChangeActiveColorTheme(() => {
        this.renew();
      }),
      workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("editor.tokenColorCustomizations")) this.renew();
      }),
      extensions.onDidChange(() => {
        this.grammars = undefined;
        this.registry = undefined;
      }),
    );
  }

  /** One request after another: a block's lines build on those before. */
  take(request: Request): Promise<void> {
    this.work = this.work.then(() => this.tokens(request)).catch(() => undefined); // a broken grammar leaves a block plain
    return this.work;
  }

  /** The webview is made anew, and with it the numbers of its blocks. */
  greet(): void {
    this.blocks = new Map();
    if (this.palette) this.post({ type: "palette", palette: this.palette });
  }

  dispose(): void {
    this.owned.dispose();
  }

  private renew(): void {
    if (this.registry) void this.registry.then((registry) => this.recolour(registry, true));
  }

  private async tokens({ block, language, from, lines, end }: Request): Promise<void> {
    const state = from === 0 ? await this.begin(block, language) : this.blocks.get(block);
    if (state?.next !== from) return;
    const rows: TokenLine[] = [];
    let began = performance.now();
    for (const line of lines) {
      rows.push(typeof line === "string" && line.length <= LINE_MAX ? read(state, line) : []);
      if (performance.now() - began > SLICE_MS) {
        await new Promise((done) => setImmediate(done));
        began = performance.now();
      }
    }
    state.next += lines.length;
    if (end) this.blocks.delete(block);
    this.post({ type: "tokens", block, from, lines: rows });
  }

  private async begin(block: number, language: string): Promise<Block | undefined> {
    this.grammars ??= new Grammars();
    const scope = this.grammars.scopeOf(language);
    if (scope === undefined) return undefined;
    this.registry ??= this.open(this.grammars);
    const registry = await this.registry;
    const grammar = await registry.loadGrammar(scope);
    if (!grammar) return undefined;
    const { INITIAL } = await import("vscode-textmate");
    const fresh = { grammar, state: INITIAL, next: 0 };
    this.blocks.set(block, fresh);
    return fresh;
  }

  private async open(grammars: Grammars): Promise<Registry> {
    const [textmate, oniguruma] = await Promise.all([import("vscode-textmate"), import("vscode-oniguruma")]);
    const wasm = await readFile(Uri.joinPath(this.extension, "out", "onig.wasm").fsPath);
    await oniguruma.loadWASM(wasm);
    const registry = new textmate.Registry({
      onigLib: Promise.resolve({
        createOnigScanner: (sources) => new oniguruma.OnigScanner(sources),
        createOnigString: (text) => new oniguruma.OnigString(text),
      }),
      loadGrammar: async (scope) => {
        const file = await grammars.read(scope);
        return file ? textmate.parseRawGrammar(file.text, file.path) : null;
      },
      getInjections: (scope) => grammars.injectedInto(scope),
    });
    await this.recolour(registry, false);
    return registry;
  }

  private async recolour(registry: Registry, renewed: boolean): Promise<void> {
    const plain = fallback();
    const own = await activeTheme();
    const { rules, foreground } = own ?? plain.theme;
    const base = { settings: { foreground: foreground ?? "#000000" } };
    registry.setTheme({
      settings: [base, ...rules.map(({ scope, settings }) => ({ settings, scope: typeof scope === "string" ? scope : [...(scope ?? [])] }))],
    });
    const inherit = "inherit";
    const colours = registry.getColorMap().map((colour, index) => {
      if (index <= 1) return inherit; // what no rule colours has the colour of the text around
      return own ? colour : (plain.names.get(colour) ?? inherit);
    });
    // The state at a line's end knows the colours of the theme that it was read with.
    if (renewed) this.blocks = new Map();
    this.palette = { colours, renewed: false };
    this.post({ type: "palette", palette: { colours, renewed } });
  }
}

/** The line's tokens, and the block's state moved on to its end. The layout of the numbers is vscode-textmate's. */
function read(block: Block, line: string): TokenLine {
  const { tokens, ruleStack } = block.grammar.tokenizeLine2(line, block.state, 100);
  block.state = ruleStack;
  const row: number[] = [];
  for (let at = 0; at < tokens.length; at += 2) {
    const metadata = tokens[at + 1] ?? 0;
    const length = (tokens[at + 2] ?? line.length) - (tokens[at] ?? 0);
    if (length > 0) row.push(length, (metadata >>> 15) & 0x1ff, (metadata >>> 11) & 0xf);
  }
  return row;
}
