// Files and folders that were dropped on the chat. What lies in the workspace goes along by its name; a file from
// elsewhere goes along as its text, if it is text and not too long.
import { FileSystemError, FileType, Uri, workspace } from "vscode";
import type { ContextItem } from "../protocol.gen";
import { TEXT_MAX, isBinary } from "./texts";

export interface Dropped {
  readonly items: readonly ContextItem[];
  /** Why some were left out. */
  readonly problems: readonly string[];
}

export async function dropped(uris: readonly unknown[]): Promise<Dropped> {
  const items: ContextItem[] = [];
  const problems: string[] = [];
  for (const raw of uris.slice(0, 50)) {
    if (typeof raw !== "string" || !/^[a-z][\w+.-]+:/i.test(raw)) continue;
    const uri = Uri.parse(raw);
    try {
      const { type, size } = await workspace.fs.stat(uri);
      const folder = (type & FileType.Directory) !== 0;
      if (workspace.getWorkspaceFolder(uri)) items.push({ kind: folder ? "folder" : "file", uri: uri.toString() });
      else if (folder) problems.push(`${uri.fsPath} is a folder outside of the workspace; drop its files instead.`);
      else items.push(await outside(uri, size));
    } catch (error) {
      const gone = error instanceof FileSystemError && error.code === "FileNotFound";
      problems.push(gone ? `There is no ${uri.fsPath}.` : error instanceof Error ? error.message : String(error));
    }
  }
  return { items, problems };
}

async function outside(uri: Uri, size: number): Promise<ContextItem> {
  const name = uri.path.split("/").at(-1) ?? "file";
  if (size > 4 * TEXT_MAX) throw new Error(tooLong(name));
  const bytes = await workspace.fs.readFile(uri);
  if (isBinary(bytes)) throw new Error(`${name} is not a text file, so it cannot go along.`);
  const text = new TextDecoder().decode(bytes);
  if (text.length > TEXT_MAX) throw new Error(tooLong(name));
  return { kind: "text", name, text };
}

function tooLong(name: string): string {
  return `${name} has more than ${TEXT_MAX.toLocaleString("en")} characters. Open its folder in the workspace, or paste the part that matters.`;
}
