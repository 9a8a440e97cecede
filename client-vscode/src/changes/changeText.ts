// The text of a file as a change would leave it, for the diff editor.
import type { Hunk, Position } from "../protocol.gen";

/** Where each line begins, counted in UTF-16 code units. Only \n, \r\n and \r end a line. */
function lineStarts(text: string): number[] {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\n|\r/g)) starts.push(match.index + match[0].length);
  return starts;
}

function unified(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n");
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
