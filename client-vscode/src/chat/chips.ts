// What a piece of context is called on its chip.
import type { ContextItem, Range } from "../protocol.gen";

export interface Chip {
  readonly icon: "file" | "folder" | "symbol" | "selection" | "problems" | "text";
  readonly label: string;
  /** The whole of it, for the tooltip. */
  readonly title: string;
}

/** `folders` are those of the workspace: paths in it are shown without them. */
export function chipOf(item: ContextItem, folders: readonly string[] = []): Chip {
  const path = (uri: string): string => relativeTo(folders, uri);
  switch (item.kind) {
    case "file":
      return { icon: "file", label: baseName(item.uri), title: path(item.uri) };
    case "folder":
      return { icon: "folder", label: `${baseName(item.uri)}/`, title: path(item.uri) };
    case "range": {
      const title = `${path(item.uri)}:${linesOf(item.range)}`;
      if (item.name) return { icon: "symbol", label: item.name, title: `${item.name}, ${title}` };
      return { icon: "selection", label: `${baseName(item.uri)}:${linesOf(item.range)}`, title };
    }
    case "problems":
      if (item.uri === undefined) return { icon: "problems", label: "Problems", title: "All problems of the workspace" };
      return { icon: "problems", label: `Problems in ${baseName(item.uri)}`, title: `Problems in ${path(item.uri)}` };
    case "text":
      return { icon: "text", label: item.name, title: `${item.name}: ${item.text.length} characters` };
  }
}

/** Two items that mean the same are shown once. */
export function keyOf(item: ContextItem): string {
  return JSON.stringify(item);
}

export function pathOf(uri: string): string {
  const path = uri.replace(/^[a-z][\w+.-]*:(\/\/[^/]*)?/i, "");
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The path within the workspace; whole where it lies elsewhere. With several folders the folder's name goes before. */
export function relativeTo(folders: readonly string[], uri: string): string {
  const path = pathOf(uri);
  const root = folders.map(pathOf).find((folder) => path.startsWith(`${folder.replace(/\/$/, "")}/`));
  if (root === undefined) return path;
  const inside = path.slice(root.replace(/\/$/, "").length + 1);
  return folders.length > 1 ? `${baseName(root)}/${inside}` : inside;
}

export function baseName(uri: string): string {
  return pathOf(uri).replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** Lines as a person counts them: from 1, the last one included. */
function linesOf({ start, end }: Range): string {
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  return last === start.line + 1 ? `${last}` : `${start.line + 1}–${last}`;
}
