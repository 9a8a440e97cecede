// What was pasted or dropped: files of the editor, files of the desktop, or text.
import { isBinary, isLong, nameOf, TEXT_MAX } from "../src/chat/texts";
import type { ContextItem } from "../src/protocol.gen";

export type HandedOver =
  | { readonly kind: "uris"; readonly uris: readonly string[] }
  /** Text that goes into the field as it is. */
  | { readonly kind: "text"; readonly text: string }
  /** Text that would bury the prompt. */
  | { readonly kind: "chip"; readonly item: ContextItem }
  | { readonly kind: "files"; read(): Promise<{ items: ContextItem[]; problems: string[] }> };

/** Kinds in which the editor hands files over, the most telling first. */
const LISTS = ["application/vnd.code.uri-list", "text/uri-list", "resourceurls", "codefiles"];

export function handedOver(data: DataTransfer, how: "paste" | "drop"): HandedOver {
  if (how === "drop") {
    for (const kind of LISTS) {
      const uris = urisOf(data.getData(kind));
      if (uris.length > 0) return { kind: "uris", uris };
    }
  }
  const files = [...data.files];
  if (files.length > 0) return { kind: "files", read: () => readAll(files) };
  const text = data.getData("text/plain");
  if (!isLong(text)) return { kind: "text", text };
  const name = nameOf(text);
  return { kind: "chip", item: { kind: "text", name, text: text.slice(0, TEXT_MAX) } };
}

/** A list of URIs, a line each, or as JSON; paths become file URIs. */
export function urisOf(raw: string): string[] {
  let lines: unknown[] = raw.split(/\r?\n/);
  if (raw.startsWith("[")) {
    try {
      lines = JSON.parse(raw) as unknown[];
    } catch {
      return [];
    }
  }
  return lines.flatMap((line) => {
    if (typeof line !== "string" || line === "" || line.startsWith("#")) return [];
    if (/^[a-z][\w+.-]+:/i.test(line)) return [line];
    return line.startsWith("/") ? [`file://${encodeURI(line)}`] : [];
  });
}

async function readAll(files: readonly File[]): Promise<{ items: ContextItem[]; problems: string[] }> {
  const items: ContextItem[] = [];
  const problems: string[] = [];
  for (const file of files.slice(0, 20)) {
    if (file.size > 4 * TEXT_MAX) {
      problems.push(`${file.name} is too long to go along; add it to the workspace instead.`);
      continue;
    }
    const bytes = await bytesOf(file);
    if (!bytes) {
      problems.push(`${file.name} cannot be read. Of a folder, drop the files.`);
      continue;
    }
    const text = isBinary(bytes) ? undefined : new TextDecoder().decode(bytes);
    if (text === undefined) problems.push(`${file.name} is not a text file, so it cannot go along.`);
    else if (text.length > TEXT_MAX) problems.push(`${file.name} is too long to go along; add it to the workspace instead.`);
    else items.push({ kind: "text", name: file.name, text });
  }
  return { items, problems };
}

/** Undefined for what has no bytes, as a folder, and for what may not be read. */
async function bytesOf(file: File): Promise<Uint8Array | undefined> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return undefined;
  }
}
