// Where in a text a task was started: followed through edits, and shown there.
import type { Position, Range } from "../protocol.gen";

/** One edit as VS Code tells it: lines `first` to `last` (from 0) were replaced by a text of so many lines more. */
export interface LineEdit {
  readonly first: number;
  readonly last: number;
  readonly newLines: number;
}

/** Where a line has gone through an edit; a line within what was replaced goes to its first line. */
export function followed(line: number, { first, last, newLines }: LineEdit): number {
  if (line < first || (line === first && last === first && newLines === 0)) return line;
  if (line > last) return line + newLines - (last - first);
  return line === first ? line : Math.min(line, first + newLines);
}

/** The smallest of the nested ranges around a place; undefined where none is around it. */
export function innermost(ranges: readonly Range[], at: Position): Range | undefined {
  const around = ranges.filter(({ start, end }) => !before(at, start) && !before(end, at));
  return around.reduce<Range | undefined>((best, range) => (best && !within(range, best) ? best : range), undefined);
}

function before(one: Position, other: Position): boolean {
  return one.line < other.line || (one.line === other.line && one.character < other.character);
}

function within(inner: Range, outer: Range): boolean {
  return !before(inner.start, outer.start) && !before(outer.end, inner.end);
}
