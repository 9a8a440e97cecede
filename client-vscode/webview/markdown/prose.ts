// Prose that streams in. Blocks that are finished stay as they are; only the unfinished one at the end is read and
// drawn anew. Whatever the pieces that a text comes in, the nodes are in the end the same.
import { blocksOf, codeOf, render, type Block } from "./blocks";
import { become } from "./become";
import { CodeBlock, codeBlockOf } from "./code";

interface Drawn {
  source: string;
  readonly nodes: readonly Node[];
  readonly code: CodeBlock | undefined;
}

export class Prose {
  readonly element = document.createElement("div");
  /** Where in the text the first block begins that may still change, and up to where that was looked at. */
  private done = 0;
  private checked = 0;
  private tail: Drawn[] = [];

  /** `finished` hears the text of each block that will not change any more. */
  constructor(private readonly finished: (source: string) => void = () => undefined) {
    this.element.className = "prose";
  }

  /** The text has grown to `text`, which begins with what was given before; `open`: more may come. */
  update(text: string, open: boolean): void {
    // A line that is not complete may yet turn out to belong to the block before it: only whole lines settle a block.
    const end = open ? text.lastIndexOf("\n") + 1 : text.length;
    if (end > this.checked || !open) {
      this.checked = end;
      const source = text.slice(this.done, end);
      const blocks = blocksOf(source);
      const settled = open ? blocks.length - 1 : blocks.length;
      if (settled > 0) this.settle(source, blocks, settled, open);
      if (!open) return;
    }
    const source = text.slice(this.done);
    this.draw(source, blocksOf(source));
  }

  private settle(source: string, blocks: readonly Block[], count: number, open: boolean): void {
    const starts = lineStarts(source);
    this.draw(source, blocks);
    for (const drawn of this.tail.splice(0, count)) {
      for (const code of codesIn(drawn.nodes)) code.end();
      this.finished(drawn.source);
    }
    this.done += open ? (starts[blocks[count]?.start ?? 0] ?? source.length) : source.length;
  }

  /** Bring the unfinished end of the page to `blocks`. */
  private draw(source: string, blocks: readonly Block[]): void {
    const starts = lineStarts(source);
    blocks.forEach((block, index) => {
      const piece = source.slice(starts[block.start] ?? 0, starts[block.end] ?? source.length);
      const before = this.tail[index];
      if (before?.source === piece) return;
      const code = codeOf(block);
      if (code && before?.code?.language === code.language && before.code.extend(code.text)) {
        before.source = piece;
        return;
      }
      const fresh = code ? drawnCode(piece, code) : drawnBlock(piece, block);
      if (before && !before.code && become(before.nodes, fresh.nodes)) {
        before.source = piece;
        return;
      }
      const at = before?.nodes[0] ?? null;
      for (const node of fresh.nodes) this.element.insertBefore(node, at);
      before?.nodes.forEach(remove);
      this.tail[index] = fresh;
    });
    for (const { nodes } of this.tail.splice(blocks.length)) nodes.forEach(remove);
  }
}

function drawnCode(source: string, { language, text }: { language: string; text: string }): Drawn {
  const code = new CodeBlock(language, text);
  return { source, nodes: [code.element], code };
}

function drawnBlock(source: string, block: Block): Drawn {
  const node = render(block, (language, text) => new CodeBlock(language, text));
  return { source, nodes: node instanceof DocumentFragment ? [...node.childNodes] : [node], code: undefined };
}

/** The code blocks that these nodes are, or have in them. */
function codesIn(nodes: readonly Node[]): CodeBlock[] {
  const elements = nodes.flatMap((node) => (node instanceof Element ? [node, ...node.querySelectorAll(".code")] : []));
  return elements.flatMap((element) => codeBlockOf(element) ?? []);
}

function remove(node: Node): void {
  node.parentNode?.removeChild(node);
}

/** Where each line begins; the parser ends lines at the same characters. */
function lineStarts(source: string): number[] {
  const starts = [0];
  for (const match of source.matchAll(/\r\n?|\n/g)) starts.push(match.index + match[0].length);
  return starts;
}
