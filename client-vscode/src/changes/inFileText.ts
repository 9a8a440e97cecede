// What is shown of a proposed change in the file itself: where its hunks stand, and what each would make of it.
import { oneLine } from "../plainText";
import type { Change, FileChange, Hunk } from "../protocol.gen";
import { spansIn, type Span } from "./changeText";

/** Lines and characters of a hover. */
const HOVER_LINES = 40;
const HOVER_WIDTH = 200;
const GHOST = 80;

export interface HunkInFile {
  readonly change: Change;
  readonly file: FileChange;
  readonly hunk: Hunk;
  readonly span: Span;
}

/** The hunks of an edited file, where they stand in its text now; none where they are not to be found in it. */
export function hunksInFile(text: string, change: Change, file: FileChange): HunkInFile[] {
  if (file.kind !== "edit" && file.kind !== "rename") return [];
  return spansIn(text, file.hunks).flatMap((span) => {
    const hunk = file.hunks.find(({ id, old, new: fresh }) => id === span.hunk && old !== fresh);
    return hunk ? [{ change, file, hunk, span }] : [];
  });
}

/** The lines on which a hunk is pointed at, from and to (included); an insertion is at the lines around it. */
export function touched({ first, count }: Span): readonly [number, number] {
  return count > 0 ? [first, first + count - 1] : [Math.max(0, first - 1), first];
}

/** What one line would become, to stand dimly at its end; undefined where the hunk is more than one line. */
export function ghost({ old, new: fresh }: Hunk): string | undefined {
  const [before, after] = [lines(old), lines(fresh)];
  const [line] = after;
  if (before.length !== 1 || after.length !== 1 || !line?.trim()) return undefined;
  return `→ ${oneLine(line, GHOST)}`;
}

/** The hunk as a unified diff. */
export function diffText({ old, new: fresh }: Hunk): string {
  const rows = [...lines(old).map((line) => `-${line}`), ...lines(fresh).map((line) => `+${line}`)];
  const shown = rows.slice(0, HOVER_LINES).map((row) => (row.length > HOVER_WIDTH ? `${row.slice(0, HOVER_WIDTH)}…` : row));
  return [...shown, ...(rows.length > HOVER_LINES ? [`… ${rows.length - HOVER_LINES} more lines`] : [])].join("\n");
}

function lines(text: string): string[] {
  const all = text.split(/\r\n|\n|\r/);
  if (all.at(-1) === "") all.pop();
  return all;
}
