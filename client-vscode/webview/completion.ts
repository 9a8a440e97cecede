// The completion of an @ in the text field: what is asked for, the rows that came, and the one that is chosen.
import type { Candidate } from "../src/chat/messages";
import type { ContextItem } from "../src/protocol.gen";
import { post } from "./host";
import { mentionAt, withMention, type Mention, type Replaced } from "./mention";

export class Completion {
  private mention: Mention | undefined;
  private request = 0;
  private found: readonly Candidate[] = [];
  private at = 0;

  /** `changed` hears when the list is to be drawn anew. */
  constructor(private readonly changed: () => void) {}

  get rows(): readonly Candidate[] {
    return this.found;
  }

  get chosen(): number {
    return this.at;
  }

  get open(): boolean {
    return this.mention !== undefined && this.found.length > 0;
  }

  /** Text or cursor are others now: what is typed after an @ is asked for. */
  look({ value, selectionStart, selectionEnd }: HTMLTextAreaElement): void {
    const mention = selectionStart === selectionEnd ? mentionAt(value, selectionStart) : undefined;
    if (mention?.start === this.mention?.start && mention?.query === this.mention?.query) return;
    this.mention = mention;
    if (mention) post({ type: "mention", request: ++this.request, query: mention.query });
    else this.show([]);
  }

  /** What the extension found; an answer to an older question is passed over. */
  take(request: number, rows: readonly Candidate[]): void {
    if (request === this.request && this.mention) this.show(rows);
  }

  step(by: 1 | -1): void {
    this.at = (this.at + by + this.found.length) % this.found.length;
    this.changed();
  }

  /** Until something else is typed. */
  close(): void {
    this.request += 1;
    this.show([]);
  }

  /** The text field lost the focus. */
  leave(): void {
    this.mention = undefined;
    this.close();
  }

  /** The text with a row's name in it, and what goes along; undefined where there is no such row. */
  choose(index: number, text: string): (Replaced & { readonly item: ContextItem }) | undefined {
    const { mention } = this;
    const row = this.found[index];
    if (!mention || !row) return undefined;
    this.leave();
    return { ...withMention(text, mention, row.label), item: row.item };
  }

  private show(rows: readonly Candidate[]): void {
    this.found = rows;
    this.at = 0;
    this.changed();
  }
}
