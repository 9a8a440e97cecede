// The output of a change's check as a document that can be read and not written.
import { EventEmitter, Uri, window, type TextDocumentContentProvider } from "vscode";
import type { Change } from "../protocol.gen";
import { checkText } from "./checkText";

export const CHECK_SCHEME = "kaaj-check";

export class CheckOutput implements TextDocumentContentProvider {
  private readonly changed = new EventEmitter<Uri>();
  readonly onDidChange = this.changed.event;
  private readonly shown = new Map<string, string>();

  constructor(private readonly current: (change: string) => Change | undefined) {}

  provideTextDocumentContent(uri: Uri): string {
    return this.textOf(uri.query);
  }

  async show(change: Change, preserveFocus: boolean): Promise<void> {
    const uri = Uri.from({ scheme: CHECK_SCHEME, path: "/Check output", query: change.id });
    this.shown.set(change.id, this.textOf(change.id));
    this.changed.fire(uri);
    await window.showTextDocument(uri, { preview: true, preserveFocus });
  }

  /** The changes have moved on. */
  touch(): void {
    for (const [id, text] of this.shown) {
      const now = this.textOf(id);
      if (now === text) continue;
      this.shown.set(id, now);
      this.changed.fire(Uri.from({ scheme: CHECK_SCHEME, path: "/Check output", query: id }));
    }
  }

  forget(uri: Uri): void {
    this.shown.delete(uri.query);
  }

  dispose(): void {
    this.changed.dispose();
  }

  private textOf(id: string): string {
    const check = this.current(id)?.check;
    return check ? checkText(check) : "This change has no check's result (any more).\n";
  }
}
