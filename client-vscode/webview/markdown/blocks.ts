// Markdown as DOM nodes. The parser gives tokens and each token a node of a known kind, so there is never a string of
// HTML that would have to be cleaned: what a model writes can only ever become text, a known element, or a link that
// was looked at. (A sanitiser, which repairs HTML after the fact, has nothing to do here; Trusted Types hold it.)
import MarkdownIt, { type Token } from "markdown-it";
import type { CodeBlock } from "./code";

/** One block of the outermost level, with the lines that it was read from: up to `end`, that one not included. */
export interface Block {
  readonly tokens: readonly Token[];
  readonly start: number;
  readonly end: number;
}

// Without link definitions a block reads the same whatever follows it, which the streaming stands on.
const parser = new MarkdownIt({ html: false, linkify: true, breaks: false, maxNesting: 1000 }).disable(["reference"]);
// What a link may be is decided where it is made, below.
parser.validateLink = () => true;
parser.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });

/** Deeper than this, a model has gone astray. */
const DEPTH_MAX = 60;

export function blocksOf(source: string): Block[] {
  const blocks: Block[] = [];
  let tokens: Token[] = [];
  for (const token of parser.parse(source, {})) {
    tokens.push(token);
    if (token.level !== 0 || token.nesting === 1) continue;
    const [start, end] = tokens[0]?.map ?? [0, 0];
    blocks.push({ tokens, start, end });
    tokens = [];
  }
  return blocks;
}

/** The code block that this block is, if it is one. */
export function codeOf({ tokens }: Block): { language: string; text: string } | undefined {
  const [token] = tokens;
  if (token?.type !== "fence" && token?.type !== "code_block") return undefined;
  return { language: token.info.trim().split(/[\s{,]/, 1)[0] ?? "", text: token.content };
}

/** Makes a code block inside of a list or a quotation. */
export type MakeCode = (language: string, text: string) => CodeBlock;

export function render({ tokens }: Block, makeCode: MakeCode): Node {
  const fragment = document.createDocumentFragment();
  build(tokens, fragment, makeCode);
  return fragment.childNodes.length === 1 && fragment.firstChild ? fragment.firstChild : fragment;
}

const ELEMENTS: Readonly<Record<string, string>> = {
  ...{ paragraph_open: "p", blockquote_open: "blockquote", bullet_list_open: "ul", ordered_list_open: "ol", list_item_open: "li" },
  ...{ table_open: "table", thead_open: "thead", tbody_open: "tbody", tr_open: "tr", th_open: "th", td_open: "td" },
  ...{ strong_open: "strong", em_open: "em", s_open: "s" },
};

function build(tokens: readonly Token[], into: Node, makeCode: MakeCode): void {
  const open: Node[] = [into];
  const top = (): Node => open.at(-1) ?? into;
  for (const token of tokens) {
    if (token.nesting === -1) {
      if (open.length > 1) open.pop();
      continue;
    }
    if (token.nesting === 1) {
      // A paragraph of a tight list is hidden: its text stands in the item itself.
      if (token.hidden || open.length > DEPTH_MAX) {
        open.push(top());
        continue;
      }
      const node = opened(token);
      top().appendChild(node.parent ?? node.inner);
      open.push(node.inner);
      continue;
    }
    if (token.type === "inline") build(token.children ?? [], top(), makeCode);
    else for (const node of leaf(token, makeCode)) top().appendChild(node);
  }
}

/** `parent` stands around `inner` where one element is not enough. */
interface Opened {
  readonly inner: Node;
  readonly parent?: Node;
}

function opened(token: Token): Opened {
  if (token.type === "heading_open") {
    // The conversation's own headings come first.
    const level = Math.min(6, Number(token.tag.slice(1)) + 2);
    return { inner: document.createElement(`h${level}`) };
  }
  if (token.type === "link_open") return { inner: link(attribute(token, "href")) };
  const element = document.createElement(ELEMENTS[token.type] ?? "span");
  if (token.type === "ordered_list_open") {
    const start = attribute(token, "start");
    if (start) element.setAttribute("start", start);
  }
  const align = /text-align:(left|center|right)/.exec(attribute(token, "style"))?.[1];
  if (align) element.classList.add(`align-${align}`);
  if (token.type === "table_open") {
    const scroll = document.createElement("div");
    scroll.className = "table";
    scroll.append(element);
    return { inner: element, parent: scroll };
  }
  return { inner: element };
}

function leaf(token: Token, makeCode: MakeCode): Node[] {
  switch (token.type) {
    case "text":
    case "text_special":
      return [document.createTextNode(token.content)];
    case "softbreak":
      return [document.createTextNode("\n")];
    case "hardbreak":
      return [document.createElement("br")];
    case "code_inline": {
      const code = document.createElement("code");
      code.textContent = token.content;
      if (/^[\w@.-]+(\/[\w@.-]+)*\.\w{1,8}(:\d+(:\d+)?)?$/.test(token.content) && /[/:]/.test(token.content)) {
        code.dataset.path = token.content;
        code.title = "Open the file";
      }
      return [code];
    }
    case "hr":
      return [document.createElement("hr")];
    case "fence":
    case "code_block": {
      const code = codeOf({ tokens: [token], start: 0, end: 0 });
      return code ? [makeCode(code.language, code.text).element] : [];
    }
    case "image": {
      // Nothing is loaded; whoever wants to see it follows the link.
      const anchor = link(attribute(token, "src"));
      anchor.textContent = `🖼 ${token.content || "image"}`;
      return [anchor];
    }
    default:
      return token.content ? [document.createTextNode(token.content)] : [];
  }
}

/** http and https go the editor's own way, which asks before it leaves; a path opens a file; all else is plain text. */
function link(href: string): HTMLElement {
  const web = /^https?:\/\//i.test(href);
  const path = !web && (/^file:\/\//i.test(href) || !/^[a-z][\w+.-]*:|^\/\/|^#/i.test(href)) && href !== "";
  if (!web && !path) return document.createElement("span");
  const anchor = document.createElement("a");
  if (web) anchor.href = href;
  else {
    anchor.dataset.path = decoded(href);
    anchor.setAttribute("role", "link");
    anchor.tabIndex = 0;
  }
  anchor.title = web ? href : decoded(href);
  return anchor;
}

function decoded(href: string): string {
  try {
    return decodeURI(href);
  } catch {
    return href;
  }
}

function attribute(token: Token, name: string): string {
  return String(token.attrGet(name) ?? "");
}
