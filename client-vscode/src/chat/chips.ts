// What a piece of context is called on its chip.
import type { ContextItem, Range } from "../protocol.gen";

export interface Chip {
  readonly icon: "file" | "folder" | "symbol" | "selection" | "problems" | "text";
  readonly label: string;
  /** The whole of it, for the tooltip. */
  readonly title: string;
}

export function chipOf(item: ContextItem): Chip {
  switch (item.kind) {
    case "file":
      return { icon: "file", label: baseName(item.uri), title: pathOf(item.uri) };
    case "folder":
      return { icon: "folder", label: `${baseName(item.uri)}/`, title: pathOf(item.uri) };
    case "range": {
      const title = `${pathOf(item.uri)}:${linesOf(item.range)}`;
      if (item.name) return { icon: "symbol", label: item.name, title: `${item.name}, ${title}` };
      return { icon: "selection", label: `${baseName(item.uri)}:${linesOf(item.range)}`, title };
    }
    case "problems":
      if (item.uri === undefined) return { icon: "problems", label: "Problems", title: "All problems of the workspace" };
      return { icon: "problems", label: `Problems in ${baseName(item.uri)}`, title: `Problems in ${pathOf(item.uri)}` };
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

export function baseName(uri: string): string {
  return pathOf(uri).replace(/\/+$/, "").split("/").at(-1) ?? "";
}

/** Lines as a person counts them: from 1, the last one included. */
function linesOf({ start, end }: Range): string {
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  return last === start.line + 1 ? `${last}` : `${start.line + 1}–${last}`;
}
