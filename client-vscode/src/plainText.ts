// Words from outside (a model's, a file's name) on their way into VS Code's own surfaces.

// Control characters, and those that turn the direction of what follows.
const UNSEEN = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** One line of at most `limit` characters: what would break or turn the line is shown as one mark. */
export function oneLine(text: string, limit = 200): string {
  // What cannot be shown is not looked at either: a text may be long.
  const line = text.slice(0, limit * 4).trim().replaceAll(/\s*[\r\n]+\s*/g, " ⏎ ").replaceAll("\t", " ").replaceAll(UNSEEN, "�");
  if (line.length <= limit) return line;
  return `${line.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, "")}…`; // no half of a pair is left
}

/** The first line of a text that may have many, as a prompt has: what a task is called. */
export function firstLine(text: string, limit?: number): string {
  return oneLine(text.trimStart().split(/\r?\n/, 1)[0] ?? "", limit);
}

/** For messages, status bar and pick lists: there `[x](command:…)` would become a link and `$(x)` a picture. */
export function inert(text: string, limit?: number): string {
  return oneLine(text, limit).replaceAll("](", "]\u200b(").replaceAll("$(", "$\u200b(");
}

/** A model's prose for a label: without the marks of Markdown that people see in labels most. */
export function unmarked(text: string): string {
  return text
    .slice(0, 4000)
    .replaceAll(/^\s*(?:#{1,6}|[-*+]|>)\s+/gm, "")
    .replaceAll(/\*\*(?=\S)([^*\n]+?)(?<=\S)\*\*/g, "$1")
    .replaceAll(/(`+) ?([^\n]+?) ?\1(?!`)/g, "$2")
    .replaceAll(/\[([^\][\n]*)\]\([^()\s]*\)/g, "$1");
}
