// The texts of a file before and after a change, for the diff editor.
import type { Change, FileChange, Hunk, Position } from "../protocol.gen";

/** Where each line begins, counted in UTF-16 code units. Only \n, \r\n and \r end a line. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

function unified(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
}

/** The lines of a piece of whole lines; a last one without an end counts. */
function linesOf(piece: string): string[] {
  const lines = unified(piece).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/**
 * `text` with `hunks` applied, or undefined where it is not the text that the change was made for.
 *
 * Positions are in UTF-16, as VS Code negotiates them. Line ends are not compared: an editor shows a file that mixes
 * them with one kind alone.
 */
export function withHunks(text: string, hunks: readonly Hunk[]): string | undefined {
  const starts = lineStarts(text);
  const offset = ({ line, character }: Position): number => {
    const start = starts[line];
    if (start === undefined) return text.length;
    return Math.min(start + character, starts[line + 1] ?? text.length);
  };
  let out = "";
  let at = 0;
  for (const { range, old, new: fresh } of hunks) {
    const start = offset(range.start);
    const end = offset(range.end);
    if (start < at || end < start || unified(text.slice(start, end)) !== unified(old)) return undefined;
    out += text.slice(at, start) + fresh;
    at = end;
  }
  return out + text.slice(at);
}

/** A hunk of whole lines at `line`. */
function placed(hunk: Hunk, line: number): Hunk {
  const lines = linesOf(hunk.old);
  const whole = hunk.old === "" || /[\r\n]$/.test(hunk.old);
  const end = whole
    ? { line: line + lines.length, character: 0 }
    : { line: line + lines.length - 1, character: lines.at(-1)?.length ?? 0 };
  return { ...hunk, range: { start: { line, character: 0 }, end } };
}

/** The hunks that lead back: they stand in the text that the change has made. */
export function reversed(hunks: readonly Hunk[]): Hunk[] {
  let shift = 0;
  return hunks.map((hunk) => {
    const back = placed({ ...hunk, old: hunk.new, new: hunk.old }, hunk.range.start.line + shift);
    shift += linesOf(hunk.new).length - linesOf(hunk.old).length;
    return back;
  });
}

/**
 * The hunks where their old lines stand in `text` now, which was edited elsewhere; undefined where some stand nowhere.
 * An insertion goes along with the hunk before it.
 */
export function relocated(text: string, hunks: readonly Hunk[]): Hunk[] | undefined {
  const lines = unified(text).split("\n");
  const moved: Hunk[] = [];
  let shift = 0;
  let from = 0;
  for (const hunk of hunks) {
    const wanted = hunk.range.start.line + shift;
    const old = linesOf(hunk.old);
    const line = old.length === 0 ? Math.max(wanted, from) : nearest(lines, old, wanted, from);
    if (line === undefined) return undefined;
    shift = line - hunk.range.start.line;
    from = line + old.length;
    moved.push(placed(hunk, line));
  }
  return moved;
}

function nearest(lines: readonly string[], old: readonly string[], wanted: number, from: number): number | undefined {
  const fits = (at: number): boolean => old.every((line, index) => lines[at + index] === line);
  for (let away = 0; away <= lines.length; away++) {
    for (const at of [wanted - away, wanted + away]) {
      if (at >= from && at + old.length <= lines.length && fits(at)) return at;
    }
  }
  return undefined;
}

/** Where a hunk is seen on one side of a diff: lines from 0; a hunk that has none there stands before `first`. */
export interface Span {
  readonly hunk: string;
  readonly first: number;
  readonly count: number;
}

export interface Sides {
  readonly before: string;
  readonly after: string;
  readonly beforeSpans: readonly Span[];
  readonly afterSpans: readonly Span[];
}

function spans(hunks: readonly Hunk[]): Span[] {
  return hunks.map(({ id, range, old }) => ({ hunk: id, first: range.start.line, count: linesOf(old).length }));
}

/** Where the hunks stand in `text`: the text before the change, or the one edited elsewhere since. */
export function spansIn(text: string, hunks: readonly Hunk[]): readonly Span[] {
  const found = withHunks(text, hunks) === undefined ? relocated(text, hunks) : hunks;
  return found ? spans(found) : [];
}

/**
 * Both sides of a file's diff. `text` is what the editor has of it now, undefined where there is no such file (any
 * more). Where the text has moved on from the change, only the hunks are shown, and `why` is said above them.
 */
export function sidesOf(file: FileChange, state: Change["state"], text: string | undefined): Sides {
  const { kind, hunks } = file;
  if (kind === "create" || kind === "delete") {
    return both(kind === "create" ? "" : (hunks[0]?.old ?? ""), hunks, kind === "create" ? (hunks[0]?.new ?? "") : "");
  }
  if (text === undefined) return hunksAlone(hunks, "The file is not there any more.");
  const back = reversed(hunks);
  const backward = (found: readonly Hunk[] | undefined): Sides | undefined => {
    const before = found && withHunks(text, found);
    if (before === undefined) return undefined;
    const forth = reversed(found ?? []);
    return { before, after: text, beforeSpans: spans(forth), afterSpans: spans(found ?? []) };
  };
  const forward = (found: readonly Hunk[] | undefined): Sides | undefined => {
    const after = found && withHunks(text, found);
    return after === undefined ? undefined : both(text, found ?? [], after);
  };
  const found =
    state === "applied"
      ? (backward(back) ?? backward(relocated(text, back)))
      : (forward(hunks) ?? forward(relocated(text, hunks)));
  return found ?? hunksAlone(hunks, "The file has been edited since.");
}

function both(before: string, hunks: readonly Hunk[], after: string): Sides {
  return { before, after, beforeSpans: spans(hunks), afterSpans: spans(reversed(hunks)) };
}

/** A diff of nothing but the hunks, each under its line. */
function hunksAlone(hunks: readonly Hunk[], why: string): Sides {
  const head = `${why} These are the lines of the change alone.\n`;
  let [before, after] = [head, head];
  const beforeSpans: Span[] = [];
  const afterSpans: Span[] = [];
  const add = (text: string, side: Span[], id: string, title: string, piece: string): string => {
    const above = text + title;
    side.push({ hunk: id, first: linesOf(above).length, count: linesOf(piece).length });
    const lines = linesOf(piece);
    return lines.length > 0 ? `${above}${lines.join("\n")}\n` : above;
  };
  for (const { id, range, old, new: fresh } of hunks) {
    const title = `\n─── line ${range.start.line + 1} ───\n`;
    before = add(before, beforeSpans, id, title, old);
    after = add(after, afterSpans, id, title, fresh);
  }
  return { before, after, beforeSpans, afterSpans };
}

/** The hunk at a line, which is the only one where there is but one. */
export function hunkAt(spansThere: readonly Span[], line: number): string | undefined {
  const within = spansThere.find(({ first, count }) => first <= line && line < first + Math.max(1, count));
  const above = spansThere.find(({ first, count }) => count === 0 && line === first - 1);
  return (within ?? above ?? (spansThere.length === 1 ? spansThere[0] : undefined))?.hunk;
}
