// A code block: its text at once, its colours as they come from the extension, line by line.
import type { TokenLine } from "../../src/chat/messages";
import { iconElement, type IconName } from "../icons";
import { post } from "../host";

/** Longer code stays plain. */
const COLOURED_MAX = 150_000;
/** Milliseconds between two requests for the colours of a block that still grows. */
const PAUSE = 90;

/** Lines that are laid out together: what grows leaves those before alone. */
const CHUNK_LINES = 40;

interface Chunk {
  readonly element: HTMLElement;
  /** What is not coloured yet. */
  readonly rest: Text;
  lines: number;
}

let numbers = 0;
const owners = new WeakMap<Element, CodeBlock>();
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

/** The code block that an element of the page belongs to. */
export function codeBlockOf(element: Element): CodeBlock | undefined {
  return owners.get(element);
}

export class CodeBlock {
  readonly element = document.createElement("div");
  private readonly code = document.createElement("code");
  private chunks: Chunk[] = [];
  /** The first chunk with something that is not coloured. */
  private colouring = 0;
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
    pre.append(this.code);
    this.element.append(bar, pre);
    all.add(new WeakRef(this));
    owners.set(this.element, this);
    this.extend(text);
  }

  /** The text has grown to this one. False where it is another text. */
  extend(text: string): boolean {
    if (!text.startsWith(this.text)) return false;
    this.grow(text.slice(this.text.length));
    this.text = text;
    this.askSoon();
    return true;
  }

  /** The same block, read anew with what came since; false where it is another one. */
  become(other: CodeBlock): boolean {
    return other.language === this.language && this.extend(other.text);
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
    this.chunks = [];
    this.colouring = 0;
    this.code.replaceChildren();
    this.grow(this.text);
    this.ask();
  }

  colour(from: number, lines: readonly TokenLine[]): void {
    if (from !== this.drawn) return;
    for (let line = 0; line < lines.length; ) {
      const chunk = this.chunks[this.colouring];
      if (!chunk) break;
      line += colourChunk(chunk, lines.slice(line));
      if (chunk.rest.length > 0) break;
      if (this.colouring < this.chunks.length - 1) this.colouring += 1;
      else break;
    }
    this.drawn += lines.length;
    if (this.ended && this.drawn === this.asked) waiting.delete(this.id);
  }

  private grow(more: string): void {
    for (let at = 0; at < more.length; ) {
      let chunk = this.chunks.at(-1);
      if (!chunk || chunk.lines >= CHUNK_LINES) this.chunks.push((chunk = newChunk(this.code)));
      let end = at;
      while (end < more.length && chunk.lines < CHUNK_LINES) {
        const next = more.indexOf("\n", end);
        end = next < 0 ? more.length : next + 1;
        if (next >= 0) chunk.lines += 1;
      }
      chunk.rest.appendData(more.slice(at, end));
      at = end;
    }
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

function newChunk(code: HTMLElement): Chunk {
  const element = document.createElement("span");
  element.className = "chunk";
  const rest = document.createTextNode("");
  element.append(rest);
  code.append(element);
  return { element, rest, lines: 0 };
}

/** Colour the chunk's next lines; how many of them it took. */
function colourChunk({ element, rest }: Chunk, lines: readonly TokenLine[]): number {
  const fragment = document.createDocumentFragment();
  const { data } = rest;
  let at = 0;
  let taken = 0;
  for (const line of lines) {
    if (at >= data.length && taken > 0) break;
    const end = data.indexOf("\n", at);
    at = drawLine(fragment, data, at, end < 0 ? data.length : end, line);
    if (end >= 0) {
      fragment.append("\n");
      at = end + 1;
    }
    taken += 1;
  }
  element.insertBefore(fragment, rest);
  rest.deleteData(0, at);
  return taken;
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
