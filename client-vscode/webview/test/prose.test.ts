// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { posted } from "./setup";
import { Prose } from "../markdown/prose";
import { takeTokens } from "../markdown/code";

const SAMPLES: readonly string[] = [
  "# Head\n\nA *word* and `code`.\n\n- one\n- two\n\n  still two\n- three\n\n1. a\n2. b\n",
  "para\n---\nnext\n\n* a\n-x\n* b\n\n\n```ts\nconst a = 1;\n\n```\nafter\n",
  "- item\n\n  ```py\n  x = 1\n  ```\n\n- next\n\n> quote\nlazy\n\n| a | b |\n|--|--:|\n| 1 | 2 |\n\nend",
  "~~~\nnever closed\n\n# no heading\n",
  "a\r\nb\r\n\r\n    indented\r\n\r\n    more\r\n\r\nlast\r",
  "[ref]\n\n[ref]: https://example.com\n\n**bold\n\nstill** here \\* <b>x</b> &amp; https://a.example/x_y.\n",
  "1. one\n\n   two\n\n      three\n2. x\n\n- - -\n***\n\ttab\n",
];

function whole(text: string): string {
  const prose = new Prose();
  prose.update(text, false);
  return prose.element.innerHTML;
}

/** Pseudo-random, the same in each run. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function streamed(text: string, cuts: readonly number[]): string {
  const prose = new Prose();
  for (const cut of cuts) prose.update(text.slice(0, cut), true);
  prose.update(text, false);
  return prose.element.innerHTML;
}

test.each(SAMPLES)("any chunking draws the same: %j", (text) => {
  const wanted = whole(text);
  expect(streamed(text, Array.from({ length: text.length }, (_, index) => index + 1))).toBe(wanted);
  const random = randoms(text.length);
  for (let round = 0; round < 15; round++) {
    const cuts = Array.from({ length: 6 }, () => Math.floor(random() * text.length)).sort((a, b) => a - b);
    expect(streamed(text, cuts)).toBe(wanted);
  }
});

test("mixtures of all samples, cut anywhere", () => {
  const random = randoms(7);
  for (let round = 0; round < 30; round++) {
    const parts = Array.from({ length: 4 }, () => SAMPLES[Math.floor(random() * SAMPLES.length)] ?? "");
    const text = parts.map((part) => part.slice(Math.floor(random() * 20))).join(random() < 0.5 ? "\n" : "\n\n");
    const cuts = Array.from({ length: 12 }, () => Math.floor(random() * text.length)).sort((a, b) => a - b);
    expect(streamed(text, cuts), JSON.stringify({ text, cuts })).toBe(whole(text));
  }
});

test("what is finished keeps its nodes while more comes", () => {
  const prose = new Prose();
  prose.update("First.\n\n- a\n- b\n\nThird", true);
  const [first, list] = [...prose.element.children];
  prose.update("First.\n\n- a\n- b\n\nThird and *more*.\n\nFourth", true);
  expect([...prose.element.children].slice(0, 2)).toEqual([first, list]);
  expect(prose.element.children[0]).toBe(first);
  expect(prose.element.children).toHaveLength(4);
});

test("a code block that grows keeps its element", () => {
  const prose = new Prose();
  prose.update("```py\na = 1\n", true);
  const pre = prose.element.querySelector("pre");
  prose.update("```py\na = 1\nb = 2\n", true);
  expect(prose.element.querySelector("pre")).toBe(pre);
  expect(pre?.textContent).toBe("a = 1\nb = 2\n");
});

test("each finished block is told once, in order", () => {
  const told: string[] = [];
  const prose = new Prose((source) => told.push(source.trim()));
  const text = "One.\n\nTwo\ngoes on.\n\n```sh\nls\n```\nEnd\n";
  for (let at = 1; at <= text.length; at++) prose.update(text.slice(0, at), true);
  expect(told).toEqual(["One.", "Two\ngoes on.", "```sh\nls\n```"]);
  prose.update(text, false);
  expect(told.at(-1)).toBe("End");
});

test.each([
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "[x](javascript:alert(1))",
  "[x](JaVaScRiPt:alert(1))",
  "[x](data:text/html,<script>alert(1)</script>)",
  "[x](vbscript:x) [y](command:workbench.action.quit) [z](vscode://x/y)",
  "![x](https://example.com/a.png)",
  '[x](https://example.com "onclick=alert(1)")',
  "```<img src=x>\n</code></pre><script>1</script>\n```",
  '<a href="https://example.com" onclick="x()">y</a>',
  "| <b>x</b> | y |\n|--|--|\n| <iframe src=x> | z |",
])("nothing in the model's words becomes an element of its own or a script: %s", (text) => {
  const prose = new Prose();
  prose.update(text, false);
  expect(prose.element.querySelectorAll("script, img, iframe, b, object, style, form, input")).toHaveLength(0);
  for (const element of prose.element.querySelectorAll("*")) {
    for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^src|^style/);
    const href = element.getAttribute("href");
    if (href !== null) expect(href).toMatch(/^https?:\/\//);
  }
});

test("links: the web by address, files by path, all else as text", () => {
  const prose = new Prose();
  prose.update("[a](https://x.example) [b](src/a.ts#L3) [c](mailto:x@y.z) [d](file:///w/a%20b.ts) `src/a.ts:9` `a.b`", false);
  const of = (index: number): Element | undefined => prose.element.querySelectorAll("a, span, code")[index];
  expect(of(0)?.getAttribute("href")).toBe("https://x.example");
  expect(of(1)?.getAttribute("data-path")).toBe("src/a.ts#L3");
  expect(of(2)?.tagName).toBe("SPAN");
  expect(of(3)?.getAttribute("data-path")).toBe("file:///w/a b.ts");
  expect(of(4)?.getAttribute("data-path")).toBe("src/a.ts:9");
  expect(of(5)?.getAttribute("data-path")).toBeNull();
});

test("very deep nesting is flattened, not followed", () => {
  const prose = new Prose();
  prose.update(`${"> ".repeat(500)}deep`, false);
  expect(prose.element.querySelectorAll("blockquote").length).toBeLessThan(100);
  expect(prose.element.textContent).toContain("deep");
});

test("colours come line by line, and the text stays the same", () => {
  const prose = new Prose();
  const code = "let a = 1;\n\nlet b;\n";
  prose.update(`\`\`\`ts\n${code}\`\`\``, false);
  const request = posted.at(-1) as { type: string; block: number; lines: string[]; end: boolean };
  expect(request).toMatchObject({ type: "highlight", language: "ts", from: 0, lines: ["let a = 1;", "", "let b;"], end: true });
  takeTokens(request.block, 0, [[3, 5, 0, 7, 1, 0], []]);
  const element = prose.element.querySelector("code");
  expect(element?.textContent).toBe(code);
  expect(element?.querySelector(".c5")?.textContent).toBe("let");
  takeTokens(request.block, 1, [[3, 9, 0]]); // not the next line: passed over
  takeTokens(request.block, 2, [[3, 5, 1, 3, 1, 0]]);
  expect(element?.textContent).toBe(code);
  expect(element?.querySelectorAll(".c5")).toHaveLength(2);
  expect(element?.querySelector(".i")?.textContent).toBe("let");
});

test("an unfinished list keeps the nodes of what is the same, code blocks and their colours too", () => {
  const prose = new Prose();
  const text = "- one\n\n  ```ts\n  let a;\n  ```\n- two\n- thr";
  prose.update(text, true);
  const [one] = prose.element.querySelectorAll("li");
  const code = prose.element.querySelector(".code");
  prose.update(`${text}ee\n- four`, true);
  expect(prose.element.querySelector("li")).toBe(one);
  expect(prose.element.querySelector(".code")).toBe(code);
  expect(prose.element.querySelectorAll("li")).toHaveLength(4);
});

test("long code is laid out in pieces and reads as one", () => {
  const lines = Array.from({ length: 205 }, (_, index) => `line ${index}`);
  const prose = new Prose();
  prose.update(`\`\`\`txt\n${lines.join("\n")}\n`, true);
  prose.update(`\`\`\`txt\n${lines.join("\n")}\nlast\n\`\`\``, false);
  expect(prose.element.querySelectorAll(".chunk")).toHaveLength(6);
  expect(prose.element.querySelector("code")?.textContent).toBe(`${lines.join("\n")}\nlast\n`);
  const request = posted.at(-1) as { block: number };
  takeTokens(request.block, 0, [...lines, "last"].map(() => [4, 3, 0]));
  expect(prose.element.querySelectorAll(".c3")).toHaveLength(206);
  expect(prose.element.querySelector("code")?.textContent).toBe(`${lines.join("\n")}\nlast\n`);
});
