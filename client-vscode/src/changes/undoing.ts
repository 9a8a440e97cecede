// Taking an applied change back: what the server is asked for, and what its refusal says of later edits.
import type { UndoArgument } from "../protocol.gen";
import { plural, type Part } from "./changeParts";

/** A change in whole, or what it did to the file that is pointed at. A hunk alone cannot be taken back. */
export function undoing({ change, file }: Part): UndoArgument {
  return { change: change.id, ...(file ? { uri: file.uri } : {}) };
}

/** The files that were edited since, where that is why the server refused; else none. */
export function staleFiles(error: unknown): readonly string[] {
  if (typeof error !== "object" || error === null || !("data" in error)) return [];
  const { data } = error;
  if (typeof data !== "object" || data === null || !("stale" in data) || !Array.isArray(data.stale)) return [];
  return data.stale.filter((name) => typeof name === "string");
}

const NAMED = 5;

export function mergeQuestion(edited: readonly string[]): string {
  const named = edited.slice(0, NAMED).join(", ");
  const more = edited.length > NAMED ? ` and ${plural(edited.length - NAMED, "more file")}` : "";
  return `${named}${more}: edited since, in the very lines that would be taken back.`;
}

export const MERGE_DETAIL =
  "Nothing was undone. Kaaj can propose the way back with the later edits kept: you review it like any change, and " +
  "nothing is written before. Where both are about the same lines, both stand there between conflict marks.";
