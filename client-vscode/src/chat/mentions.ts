// What can be mentioned with an @: files, folders, symbols, the selection, problems.
import {
  commands,
  Disposable,
  languages,
  RelativePattern,
  SymbolKind,
  TabInputText,
  Uri,
  window,
  workspace,
  type SymbolInformation,
} from "vscode";
import type { Range } from "../protocol.gen";
import { best } from "./fuzzy";
import type { Candidate } from "./messages";

const FILES_MAX = 20_000;
const FRESH_MS = 30_000;
const ROWS = 12;
const SYMBOLS = 4;

export class Mentions {
  private files: Promise<readonly Candidate[]> | undefined;
  private listed = 0;
  private readonly owned: Disposable;

  constructor() {
    const forget = (): void => {
      this.files = undefined;
    };
    this.owned = Disposable.from(
      workspace.onDidCreateFiles(forget),
      workspace.onDidDeleteFiles(forget),
      workspace.onDidRenameFiles(forget),
      workspace.onDidChangeWorkspaceFolders(forget),
    );
  }

  async find(query: string): Promise<Candidate[]> {
    const special = [...selection(), ...problems()];
    if (query === "") return unique([...special, ...openFiles(), ...(await this.paths())]).slice(0, ROWS);
    const [paths, found] = await Promise.all([this.paths(), symbols(query)]);
    const rows = [
      ...best(query, special, ({ label }) => label, 2),
      ...best(query, paths, ({ item, detail, label }) => (item.kind === "folder" ? `${detail}${label}` : `${detail}/${label}`), ROWS),
    ];
    const room = Math.max(SYMBOLS, ROWS - rows.length);
    return unique([...rows.slice(0, ROWS - Math.min(found.length, SYMBOLS)), ...found.slice(0, room)]);
  }

  dispose(): void {
    this.owned.dispose();
  }

  private paths(): Promise<readonly Candidate[]> {
    const now = Date.now();
    if (!this.files || now - this.listed > FRESH_MS) {
      this.listed = now;
      this.files = list();
    }
    return this.files;
  }
}

/** All files that the person's settings do not exclude, and the folders that they are in; what is near comes first. */
async function list(): Promise<readonly Candidate[]> {
  const excluded = { ...settingOf("files.exclude"), ...settingOf("search.exclude") };
  const patterns = Object.entries(excluded).flatMap(([glob, on]) => (on === true ? [glob] : []));
  const exclude = `{${["**/node_modules/**", "**/.git/**", ...patterns.map((glob) => `${glob},${glob}/**`)].join(",")}}`;
  const folders = workspace.workspaceFolders ?? [];
  const found = await Promise.all(
    folders.map((folder) => workspace.findFiles(new RelativePattern(folder, "**/*"), exclude, FILES_MAX)),
  );
  const uris = found.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
  const inside = new Set<string>();
  for (const uri of uris) {
    const root = workspace.getWorkspaceFolder(uri)?.uri.path ?? "";
    for (let path = parent(uri.path); path.length > root.length; path = parent(path)) {
      if (inside.has(path)) break;
      inside.add(path);
    }
  }
  const base = folders[0]?.uri;
  const rows = base ? [...inside].map((path) => folderRow(base.with({ path }))) : [];
  return [...uris.map(fileRow), ...rows].map((row) => ({ row, depth: depthOf(row) })).sort((a, b) => a.depth - b.depth).map(({ row }) => row);
}

/** How many folders it lies in. */
function depthOf({ detail }: Candidate): number {
  return detail === "" ? 0 : detail.split("/").length;
}

function settingOf(name: string): Record<string, unknown> {
  return workspace.getConfiguration().get<Record<string, unknown>>(name, {});
}

function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function split(uri: Uri): { label: string; detail: string } {
  const path = workspace.asRelativePath(uri);
  const at = path.lastIndexOf("/");
  return { label: path.slice(at + 1), detail: path.slice(0, Math.max(0, at)) };
}

export function fileRow(uri: Uri): Candidate {
  return { ...split(uri), icon: "file", item: { kind: "file", uri: uri.toString() } };
}

function folderRow(uri: Uri): Candidate {
  const { label, detail } = split(uri);
  return { label: `${label}/`, detail, icon: "folder", item: { kind: "folder", uri: uri.toString() } };
}

function openFiles(): Candidate[] {
  const tabs = window.tabGroups.all.flatMap((group) => group.tabs).filter(({ input }) => input instanceof TabInputText);
  const active = window.activeTextEditor?.document.uri;
  const uris = [...(active ? [active] : []), ...tabs.map(({ input }) => (input as TabInputText).uri)];
  return uris.filter((uri) => uri.scheme === "file" && workspace.getWorkspaceFolder(uri)).map(fileRow);
}

function selection(): Candidate[] {
  const editor = window.activeTextEditor;
  if (!editor || editor.selection.isEmpty || !workspace.getWorkspaceFolder(editor.document.uri)) return [];
  const { start, end } = editor.selection;
  const { label } = split(editor.document.uri);
  const lines = start.line === end.line ? `line ${start.line + 1}` : `lines ${start.line + 1}–${end.line + 1}`;
  const range = rangeOf(editor.selection);
  const uri = editor.document.uri.toString();
  return [{ label: "selection", detail: `${label}, ${lines}`, icon: "selection", item: { kind: "range", uri, range } }];
}

function problems(): Candidate[] {
  const rows: Candidate[] = [];
  const active = window.activeTextEditor?.document.uri;
  const here = active ? languages.getDiagnostics(active).length : 0;
  const all = languages.getDiagnostics().reduce((sum, [, list]) => sum + list.length, 0);
  if (active && here > 0) {
    const detail = `${here} in ${split(active).label}`;
    rows.push({ label: "problems", detail, icon: "problems", item: { kind: "problems", uri: active.toString() } });
  }
  if (all > here) rows.push({ label: "problems of all files", detail: `${all}`, icon: "problems", item: { kind: "problems" } });
  return rows;
}

async function symbols(query: string): Promise<Candidate[]> {
  if (query.length < 2 || query.includes("/")) return [];
  let found: SymbolInformation[] | undefined;
  try {
    found = await Promise.race([
      commands.executeCommand<SymbolInformation[] | undefined>("vscode.executeWorkspaceSymbolProvider", query),
      // A slow language server keeps nobody waiting.
      new Promise<undefined>((done) => {
        setTimeout(done, 400, undefined);
      }),
    ]);
  } catch {
    return []; // a provider of another extension failed: the files are there all the same
  }
  const inside = (found ?? []).filter(({ location }) => workspace.getWorkspaceFolder(location.uri));
  return best(query, inside, ({ name }) => name, SYMBOLS).map((symbol) => {
    const { label } = split(symbol.location.uri);
    const detail = `${SymbolKind[symbol.kind].toLowerCase()} in ${label}`;
    const range = rangeOf(symbol.location.range);
    const uri = symbol.location.uri.toString();
    return { label: symbol.name, detail, icon: "symbol", item: { kind: "range", uri, range, name: symbol.name } };
  });
}

function rangeOf({ start, end }: Range): Range {
  const plain = ({ line, character }: Range["start"]): Range["start"] => ({ line, character });
  return { start: plain(start), end: plain(end) };
}

function unique(rows: readonly Candidate[]): Candidate[] {
  return [...new Map(rows.map((row) => [JSON.stringify(row.item), row])).values()];
}
