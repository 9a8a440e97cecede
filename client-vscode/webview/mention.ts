// The @ in a text field: where one is being typed, and what becomes of the text once something was chosen.

export interface Mention {
  /** Where the @ stands. */
  readonly start: number;
  /** What was typed after it. */
  readonly query: string;
}

/** The mention that the cursor is in: an @ at the beginning of a word, and what follows up to the cursor. */
export function mentionAt(text: string, cursor: number): Mention | undefined {
  const match = /(?:^|[\s(["'`])@([^\s@]*)$/.exec(text.slice(Math.max(0, cursor - 200), cursor));
  if (!match) return undefined;
  const query = match[1] ?? "";
  return { start: cursor - query.length - 1, query };
}

export interface Replaced {
  readonly text: string;
  readonly cursor: number;
}

/** The text with the mention written out, so that the sentence reads well, and the cursor behind it. */
export function withMention(text: string, { start, query }: Mention, label: string): Replaced {
  const written = `@${label.replaceAll(/\s+/g, "-")}`;
  const after = text.slice(start + 1 + query.length);
  const space = /^\s/.test(after) ? "" : " ";
  return { text: text.slice(0, start) + written + space + after, cursor: start + written.length + 1 };
}

/** What a key means in the text field. */
export type KeyDeed = "send" | "stop" | "close" | "next" | "previous" | "choose" | "chips" | undefined;

export interface KeyState {
  /** The list of candidates is open, and has rows. */
  readonly list: boolean;
  readonly running: boolean;
  /** The cursor is at the very beginning, and nothing is selected. */
  readonly atStart: boolean;
}

interface Key {
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  /** A character is being composed (Japanese, Chinese, …): Enter belongs to that. */
  readonly isComposing: boolean;
}

export function keyDeed(event: Key, { list, running, atStart }: KeyState): KeyDeed {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  switch (event.key) {
    case "Enter":
      if (event.shiftKey) return undefined;
      return list ? "choose" : "send";
    case "Tab":
      return list && !event.shiftKey ? "choose" : undefined;
    case "ArrowDown":
      return list ? "next" : undefined;
    case "ArrowUp":
      return list ? "previous" : undefined;
    case "Escape":
      if (list) return "close";
      return running ? "stop" : undefined;
    case "Backspace":
      return atStart ? "chips" : undefined;
    default:
      return undefined;
  }
}
