// Changes in VS Code's own diff editors. Both sides are virtual documents: nothing here can be saved by mistake.
import { commands, EventEmitter, Range, Uri, workspace, type TextDocument, type TextDocumentContentProvider } from "vscode";
import { oneLine, unmarked } from "../plainText";
import type { Change, FileChange } from "../protocol.gen";
import { goesOn, targetOf, type Part } from "./changeParts";
import { hunkAt, sidesOf, type Sides, type Span } from "./changeText";

export const SCHEME = "kaaj-change";

/** Milliseconds in which several reasons to draw a diff anew become one. */
const SETTLE = 150;

/** One side of a diff as it is drawn. The change is the very one that was drawn: a decision names its digest. */
interface Drawn {
  /** The change for which the diff was opened. */
  readonly name: string;
  readonly change: Change;
  readonly file: FileChange;
  readonly text: string;
  readonly spans: readonly Span[];
}

export class Review implements TextDocumentContentProvider {
  private readonly changed = new EventEmitter<Uri>();
  readonly onDidChange = this.changed.event;
  private readonly drawn = new Map<string, Drawn>();
  /** Diffs of all files of a change: a document of each by the diff's title. */
  private readonly wholes = new Map<string, string>();
  private timer: NodeJS.Timeout | undefined;

  /** `noticed` hears which diffs can be decided on now. */
  constructor(
    private readonly changes: () => readonly Change[],
    private readonly noticed: (decidable: readonly string[]) => void,
  ) {}

  provideTextDocumentContent(uri: Uri): string {
    return this.drawn.get(uri.toString())?.text ?? "This diff is of an earlier window. Open it anew from the view “Changes”.\n";
  }

  /** Let the texts of a diff that was closed go. */
  forget(uri: Uri): void {
    if (this.drawn.delete(uri.toString())) this.tell();
  }

  /** Open the diff of one file, at the hunk if one is meant, or of all files of the change. */
  async show({ change, file, hunk }: Part, preserveFocus: boolean): Promise<void> {
    const files = file ? [file] : change.files;
    const rows: [Uri, Uri, Uri][] = [];
    for (const one of files) {
      const [before, after] = this.put(change, one, await this.sides(change, one));
      rows.push([Uri.parse(targetOf(one)), before, after]);
    }
    this.tell();
    const [first] = rows;
    if (!first) return;
    const [label, before, after] = first;
    if (rows.length > 1) {
      const all = `Kaaj: ${oneLine(unmarked(change.summary), 60) || "change"}`;
      this.wholes.set(all, after.toString());
      await commands.executeCommand("vscode.changes", all, rows);
      return;
    }
    const span = this.drawn.get(after.toString())?.spans.find((one) => one.hunk === hunk?.id);
    const selection = span ? new Range(span.first, 0, span.first, 0) : undefined;
    const title = `${oneLine(workspace.asRelativePath(label))} (Kaaj)`;
    const options = { preview: true, preserveFocus, ...(selection ? { selection } : {}) };
    await commands.executeCommand("vscode.diff", before, after, title, options);
  }

  /** What a diff's document shows, and at a line of it the hunk. */
  partAt(uri: Uri, line?: number): Part | undefined {
    const drawn = this.drawn.get(uri.toString());
    if (!drawn) return undefined;
    const { change, file, spans } = drawn;
    const id = line === undefined ? undefined : hunkAt(spans, line);
    const hunk = file.hunks.find((one) => one.id === id);
    return hunk ? { change, file, hunk } : { change, file };
  }

  /** The change all of whose files are seen in the tab with this label. */
  wholeAt(label: string): Change | undefined {
    for (const [title, document] of this.wholes) {
      // VS Code puts "(2 files)" behind it.
      if (label === title || label.startsWith(`${title} (`)) return this.drawn.get(document)?.change;
    }
    return undefined;
  }

  /** Something has happened to the changes, or to the file of this URI: what shows it is drawn anew, soon. */
  touch(uri?: Uri): void {
    if (this.drawn.size === 0) return;
    const name = uri?.toString();
    const concerned = [...this.drawn.values()].some(({ file }) => same(file.uri, name) || same(targetOf(file), name));
    if (name !== undefined && !concerned) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.redraw();
    }, SETTLE);
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.changed.dispose();
  }

  private async redraw(): Promise<void> {
    const done = new Set<string>();
    for (const { name, change: old, file: was } of [...this.drawn.values()]) {
      const key = `${name} ${was.uri}`;
      const change = goesOn(this.changes(), old, was);
      if (!change || done.has(key)) continue;
      done.add(key);
      // A file whose hunks were all taken out is no part of the change any more: what was seen stays, undecidable.
      const file = change.files.find(({ uri }) => uri === was.uri);
      const shown = file ? change : ({ ...old, state: "rejected" } as const);
      this.put(shown, file ?? was, await this.sides(shown, file ?? was), name);
    }
    this.tell();
  }

  private async sides(change: Change, file: FileChange): Promise<Sides> {
    const uri = Uri.parse(change.state === "applied" ? targetOf(file) : file.uri);
    return sidesOf(file, change.state, (await open(uri))?.getText());
  }

  private put(change: Change, file: FileChange, sides: Sides, name = change.id): [Uri, Uri] {
    const side = (which: "before" | "after", path: string, text: string, spans: readonly Span[]): Uri => {
      // The path is the file's own, so that the diff has its language and its name.
      const query = JSON.stringify([name, which]);
      const uri = Uri.from({ scheme: SCHEME, path: Uri.parse(path).path, query });
      const before = this.drawn.get(uri.toString());
      this.drawn.set(uri.toString(), { name, change, file, text, spans });
      if (before && before.text !== text) this.changed.fire(uri);
      return uri;
    };
    return [
      side("before", file.uri, sides.before, sides.beforeSpans),
      side("after", targetOf(file), sides.after, sides.afterSpans),
    ];
  }

  private tell(): void {
    const rows = [...this.drawn.entries()].filter(([, { change }]) => change.state === "proposed");
    this.noticed(rows.map(([uri]) => uri));
  }
}

function same(uri: string, other: string | undefined): boolean {
  return other !== undefined && Uri.parse(uri).toString() === other;
}

/** The editor's own text of a file; undefined where there is none to be had. */
async function open(uri: Uri): Promise<TextDocument | undefined> {
  try {
    return await workspace.openTextDocument(uri);
  } catch {
    return undefined;
  }
}
