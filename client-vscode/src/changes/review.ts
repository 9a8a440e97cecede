// Changes in VS Code's own diff editors. Both sides are virtual documents: nothing here can be saved by mistake.
import { commands, EventEmitter, Uri, window, workspace, type TextDocumentContentProvider } from "vscode";
import { withHunks } from "./changeText";
import type { Change, FileChange } from "../protocol.gen";

export const SCHEME = "kaaj-change";

type Side = "before" | "after";

export class Review implements TextDocumentContentProvider {
  private readonly changed = new EventEmitter<Uri>();
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();

  provideTextDocumentContent(uri: Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** Let the texts of a diff that was closed go. */
  forget(uri: Uri): void {
    this.texts.delete(uri.toString());
  }

  /** Open the diff of one file, or of all files of the change. */
  async show(change: Change, only?: FileChange): Promise<void> {
    const rows: [Uri, Uri, Uri][] = [];
    const stale: string[] = [];
    for (const file of only ? [only] : change.files) {
      const sides = await this.sides(change, file);
      if (sides) rows.push([Uri.parse(file.new_uri ?? file.uri), ...sides]);
      else stale.push(workspace.asRelativePath(Uri.parse(file.uri)));
    }
    if (stale.length > 0) {
      const why = change.state === "applied" ? "it has been applied" : "the text has been edited since";
      void window.showWarningMessage(`No diff for ${stale.join(", ")}: ${why}.`);
    }
    const [first] = rows;
    if (!first) return;
    const [label, before, after] = first;
    if (rows.length === 1) {
      const title = `${workspace.asRelativePath(label)} (${change.state})`;
      await commands.executeCommand("vscode.diff", before, after, title, { preview: true });
    } else {
      await commands.executeCommand("vscode.changes", `Kaaj: ${change.summary || "change"}`, rows);
    }
  }

  private async sides(change: Change, file: FileChange): Promise<[Uri, Uri] | undefined> {
    let before = "";
    if (file.kind === "delete") {
      before = file.hunks[0]?.old ?? "";
    } else if (file.kind !== "create") {
      try {
        before = (await workspace.openTextDocument(Uri.parse(file.uri))).getText();
      } catch {
        return undefined;
      }
    }
    const after = file.kind === "delete" ? "" : withHunks(before, file.hunks);
    if (after === undefined) return undefined;
    return [this.put(change, file, "before", before), this.put(change, file, "after", after)];
  }

  private put(change: Change, file: FileChange, side: Side, text: string): Uri {
    const target = Uri.parse(side === "after" ? (file.new_uri ?? file.uri) : file.uri);
    // The path is the file's own, so that the diff has its language and its name.
    const uri = Uri.from({ scheme: SCHEME, path: target.path, query: `${change.id}/${side}` });
    if (this.texts.get(uri.toString()) !== text) {
      this.texts.set(uri.toString(), text);
      this.changed.fire(uri);
    }
    return uri;
  }
}
