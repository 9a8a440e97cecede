// Reads code into tokens, in a thread of its own: grammars are slow to load and some lines are slow to read, and the
// extension host has the model's words to pass on meanwhile.
import { readFileSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { loadWASM, OnigScanner, OnigString } from "vscode-oniguruma";
import { INITIAL, parseRawGrammar, Registry, type IGrammar, type StateStack } from "vscode-textmate";
import type { TokenLine } from "../messages";
import type { FromWorker, Request, ToWorker, WorkerData } from "./thread";

interface Block {
  readonly grammar: IGrammar;
  state: StateStack;
  next: number;
}

/** Lines longer than this are left plain, as the editor leaves them. */
const LINE_MAX = 2000;
/** Milliseconds that one line may take. */
const LINE_MS = 100;

const { wasm, grammars, injections } = workerData as WorkerData;
let blocks = new Map<number, Block>();
let work: Promise<void> = loadWASM(readFileSync(wasm));

const registry = new Registry({
  onigLib: work.then(() => ({
    createOnigScanner: (sources) => new OnigScanner(sources),
    createOnigString: (text) => new OnigString(text),
  })),
  loadGrammar: (scope) => {
    const file = grammars[scope];
    return Promise.resolve(file === undefined ? null : parseRawGrammar(readFileSync(file, "utf8"), file));
  },
  getInjections: (scope) => injections[scope],
});

function say(message: FromWorker): void {
  parentPort?.postMessage(message);
}

parentPort?.on("message", (message: ToWorker) => {
  // One after another: a block's lines build on those before, and all on the theme.
  work = work.then(() => hear(message)).catch(() => undefined); // a broken grammar leaves its blocks plain
});

async function hear(message: ToWorker): Promise<void> {
  switch (message.type) {
    case "theme": {
      const { rules, foreground } = message.theme;
      const own = rules.map(({ scope, settings }) => ({ settings, scope: typeof scope === "string" ? scope : [...(scope ?? [])] }));
      registry.setTheme({ settings: [{ settings: { foreground: foreground ?? "#000000" } }, ...own] });
      blocks = new Map(); // a line's end knows the colours of the theme that it was read with
      say({ type: "colours", colours: registry.getColorMap(), round: message.round });
      return;
    }
    case "take":
      await take(message.request, message.scope);
      return;
    case "greet":
      blocks = new Map();
      return;
  }
}

async function take({ block, from, lines, end }: Request, scope: string): Promise<void> {
  let state = blocks.get(block);
  if (from === 0) {
    const grammar = await registry.loadGrammar(scope);
    if (!grammar) return;
    blocks.set(block, (state = { grammar, state: INITIAL, next: 0 }));
  }
  if (state?.next !== from) return;
  const known = state;
  const rows = lines.map((line) => (typeof line === "string" && line.length <= LINE_MAX ? read(known, line) : []));
  known.next += lines.length;
  if (end) blocks.delete(block);
  say({ type: "tokens", block, from, lines: rows });
}

/** The line's tokens, and the block's state moved on to its end. The layout of the numbers is vscode-textmate's. */
function read(block: Block, line: string): TokenLine {
  const { tokens, ruleStack } = block.grammar.tokenizeLine2(line, block.state, LINE_MS);
  block.state = ruleStack;
  const row: number[] = [];
  for (let at = 0; at < tokens.length; at += 2) {
    const metadata = tokens[at + 1] ?? 0;
    const length = (tokens[at + 2] ?? line.length) - (tokens[at] ?? 0);
    if (length > 0) row.push(length, (metadata >>> 15) & 0x1ff, (metadata >>> 11) & 0xf);
  }
  return row;
}
