// A path in the model's prose, opened.
import { Uri, window, workspace } from "vscode";
import { placeOf } from "./place";

export async function openPath(text: string): Promise<void> {
  const { path, line } = placeOf(text);
  const uri = await find(path);
  if (!uri) throw new Error(`There is no ${path} in the workspace.`);
  if (!workspace.getWorkspaceFolder(uri)) {
    const open = "Open";
    const said = { modal: true, detail: "It lies outside of the workspace." };
    if ((await window.showWarningMessage(`Open ${uri.fsPath}?`, said, open)) !== open) return;
  }
  const document = await workspace.openTextDocument(uri);
  const at = document.lineAt(Math.min(line, document.lineCount - 1)).range;
  await window.showTextDocument(document, { preview: true, selection: at.with(at.start, at.start) });
}

async function find(path: string): Promise<Uri | undefined> {
  const absolute = path.startsWith("file://") ? Uri.parse(path) : path.startsWith("/") ? Uri.file(path) : undefined;
  const folders = workspace.workspaceFolders ?? [];
  const inside = folders.map(({ uri }) => Uri.joinPath(uri, path.replace(/^\.?\//, "")));
  for (const uri of [...(absolute ? [absolute] : []), ...inside]) {
    try {
      await workspace.fs.stat(uri);
      return uri;
    } catch {
      // Not this one.
    }
  }
  return undefined;
}
