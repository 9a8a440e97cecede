// A change, a file of it, or one hunk: what a person points at, what it counts, and what a decision about it says.
import type { Change, DecideArgument, FileChange, Hunk } from "../protocol.gen";

/** What is pointed at: the whole change where no file is named, the whole file where no hunk is. */
export interface Part {
  readonly change: Change;
  readonly file?: FileChange;
  readonly hunk?: Hunk;
}

/**
 * The argument of `kaaj.accept` and `kaaj.reject`. The digest is that of the change as it was drawn: the server refuses
 * what has moved on since.
 */
export function decision({ change, file, hunk }: Part, reason?: string): DecideArgument {
  const all = change.files.flatMap(({ hunks }) => hunks);
  const chosen = hunk ? [hunk] : file ? file.hunks : all;
  const argument: DecideArgument = { change: change.id, digest: change.digest };
  if (chosen.length < all.length) argument.hunks = chosen.map(({ id }) => id);
  const said = reason?.trim();
  return said ? { ...argument, reason: said } : argument;
}

export interface Counts {
  readonly added: number;
  readonly removed: number;
}

function lines(text: string): number {
  if (text === "") return 0;
  const ends = text.match(/\r\n|\n|\r/g)?.length ?? 0;
  return /[\r\n]$/.test(text) ? ends : ends + 1;
}

export function counts(hunks: readonly Hunk[]): Counts {
  let added = 0;
  let removed = 0;
  for (const hunk of hunks) {
    added += lines(hunk.new);
    removed += lines(hunk.old);
  }
  return { added, removed };
}

export function countsText({ added, removed }: Counts): string {
  return `+${added} −${removed}`;
}

export function spokenCounts({ added, removed }: Counts): string {
  return `${plural(added, "line")} added, ${plural(removed, "line")} removed`;
}

export function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** The name of a file for a person, by its URI: as it is in the workspace. */
export type NameOf = (uri: string) => string;

/** Where the file stands once the change is applied. */
export function targetOf(file: FileChange): string {
  return file.new_uri ?? file.uri;
}

/** The first line that a hunk brings, or takes where it brings none; empty where there is nothing to be seen. */
export function preview({ old, new: fresh }: Hunk): string {
  for (const text of [fresh, old]) {
    const line = /^[^\S\r\n]*(\S[^\r\n]{0,120})/m.exec(text.slice(0, 10_000))?.[1];
    if (line !== undefined) return line.trimEnd();
  }
  return "";
}

/** The newest state of a change among these, if it is there. */
export function changeById(changes: readonly Change[], id: string): Change | undefined {
  return changes.find((change) => change.id === id);
}

/**
 * The change in which what was seen of a file goes on: itself as it is now; where the rest of it was proposed anew,
 * because some hunks were accepted, that one.
 */
export function goesOn(changes: readonly Change[], was: Change, file: FileChange): Change | undefined {
  const now = changeById(changes, was.id);
  if (!now || now.state === "proposed") return now;
  const seen = new Set(file.hunks.map(({ id }) => id));
  const rest = changes.find(
    ({ id, task, state, files }) =>
      id !== now.id &&
      task === now.task &&
      state === "proposed" &&
      files.some(({ uri, hunks }) => uri === file.uri && hunks.every((hunk) => seen.has(hunk.id))),
  );
  return rest ?? now;
}
