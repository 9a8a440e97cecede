// A code block: its text at once, its colours as they come from the extension, line by line.
import type { TokenLine } from "../../src/chat/messages";
import { iconElement, type IconName } from "../icons";
import { post } from "../host";

/** Longer code stays plain. */
const COLOURED_MAX = 150_000;
/** Milliseconds between two requests for the colours of a block that still grows. */
const PAUSE = 90;

let numbers = 0;
const waiting = new Map<number, WeakRef<CodeBlock>>();
/** Blocks that are on the page, for a change of colours. */
const all = new Set<WeakRef<CodeBlock>>();

/** The colours of the next lines came. */
export function takeTokens(block: number, from: number, lines: readonly TokenLine[]): void {
  waiting.get(block)?.deref()?.colour(from, lines);
}

/** Another colour theme: each block that is still on the page is coloured anew. */
export function recolour(): void {
  for (const ref of all) {
    const block = ref.deref();
    if (block?.element.isConnected) block.again();
    else all.delete(ref);
  }
}

export class CodeBlock {
  readonly element = document.createElement("div");
  private readonly code = document.createElement("code");
  /** What is not coloured yet. */
  private readonly rest = document.createTextNode("");
  private text = "";
  private id = 0;
  /** Lines whose colours were asked for, and where the next one begins. */
  private asked = 0;
  private askedTo = 0;
  private drawn = 0;
  private ended = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly language: string,
    text: string,
  ) {
    this.element.className = "code";
    const bar = document.createElement("div");
    bar.className = "code-bar";
    const label = document.createElement("span");
    label.textContent = language || "text";
    bar.append(label, this.button("copy", "Copy code"), this.button("insert", "Insert at cursor"));
    const pre = document.createElement("pre");
    pre.tabIndex = 0;
    pre.setAttribute("role", "group");
    pre.setAttribute("aria-label", language ? `Code, ${language}` : "Code");
    this.code.append(this.rest);
    pre.append(this.code);
    this.element.append(bar, pre);
    all.add(new WeakRef(this));
    this.extend(text);
  }

  /** The text has grown to this one. False where it is another text. */
  extend(text: string): boolean {
    if (!text.startsWith(this.text)) return false;
    this.rest.appendData(text.slice(this.text.length));
    this.text = text;
    this.askSoon();
    return true;
  }

  /** No more text comes. */
  end(): void {
    this.ended = true;
    this.ask();
  }

  again(): void {
    if (this.id === 0) return;
    waiting.delete(this.id);
    this.id = this.asked = this.askedTo = this.drawn = 0;
    this.rest.data = this.text;
    this.code.replaceChildren(this.rest);
    this.ask();
  }

  colour(from: number, lines: readonly TokenLine[]): void {
    if (from !== this.drawn) return;
    const fragment = document.createDocumentFragment();
    let at = 0;
    const { data } = this.rest;
    for (const line of lines) {
      const end = data.indexOf("\n", at);
      at = drawLine(fragment, data, at, end < 0 ? data.length : end, line);
      if (end >= 0) {
        fragment.append("\n");
        at = end + 1;
      }
    }
    this.code.insertBefore(fragment, this.rest);
    this.rest.deleteData(0, at);
    this.drawn += lines.length;
    if (this.ended && this.drawn === this.asked) waiting.delete(this.id);
  }

  private askSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      // While its list is unfinished, a block inside of it is drawn anew again and again.
      if (this.element.isConnected) this.ask();
    }, PAUSE);
  }

  private ask(): void {
    if (!this.language || this.text.length > COLOURED_MAX) return;
    const end = this.ended ? this.text.length : this.text.lastIndexOf("\n") + 1;
    if (end <= this.askedTo) return;
    const piece = this.text.slice(this.askedTo, end);
    const lines = (piece.endsWith("\n") ? piece.slice(0, -1) : piece).split("\n");
    if (this.id === 0) waiting.set((this.id = ++numbers), new WeakRef(this));
    post({ type: "highlight", block: this.id, language: this.language, from: this.asked, lines, end: this.ended });
    this.asked += lines.length;
    this.askedTo = end;
  }

  private button(name: "copy" | "insert", label: string): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.append(iconElement(name));
    button.addEventListener("click", () => {
      post({ type: name, text: this.text.replace(/\n$/, "") });
      if (name === "copy") confirm(button);
    });
    return button;
  }
}

/** Say for a moment that it was done. */
function confirm(button: HTMLButtonElement): void {
  const show = (name: IconName): void => {
    button.replaceChildren(iconElement(name));
  };
  show("check");
  setTimeout(() => {
    show("copy");
  }, 1200);
}

function drawLine(into: DocumentFragment, data: string, start: number, end: number, line: TokenLine): number {
  let at = start;
  for (let index = 0; index + 2 < line.length && at < end; index += 3) {
    const text = data.slice(at, Math.min(end, at + (line[index] ?? 0)));
    const colour = line[index + 1] ?? 0;
    const style = line[index + 2] ?? 0;
    at += text.length;
    if (colour <= 1 && style === 0) {
      into.append(text);
      continue;
    }
    const span = document.createElement("span");
    span.className = `c${colour}${style & 1 ? " i" : ""}${style & 2 ? " b" : ""}${style & 4 ? " u" : ""}`;
    span.textContent = text;
    into.append(span);
  }
  if (at < end) into.append(data.slice(at, end));
  return end;
}
