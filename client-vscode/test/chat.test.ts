import { expect, test } from "vitest";
import { chipOf, relativeTo } from "../src/chat/chips";
import { beside, fallback, readTheme, rulesOf } from "../src/chat/colour/themeFile";
import { best, score } from "../src/chat/fuzzy";
import { toHost, toWebview } from "../src/chat/messages";
import { placeOf } from "../src/chat/place";
import { Shown } from "../src/chat/shown";
import { isBinary, isLong, nameOf } from "../src/chat/texts";
import { EMPTY, withEvent, type ViewState } from "../src/state/projection";
import type { KaajEvent } from "../src/protocol.gen";

test("messages are looked at before they are used", () => {
  expect(toHost({ type: "send", prompt: "x", mode: "ask", context: [] })).toBeDefined();
  expect(toHost({ type: "send", prompt: 1, mode: "ask", context: [] })).toBeUndefined();
  expect(toHost({ type: "send", prompt: "x", mode: "ask", context: {} })).toBeUndefined();
  expect(toHost({ type: "toString" })).toBeUndefined();
  expect([toHost(null), toHost("ready"), toHost([]), toHost({})]).toEqual([undefined, undefined, undefined, undefined]);
  expect(toWebview({ type: "session", view: null })).toBeDefined();
  expect(toWebview({ type: "event", event: null })).toBeUndefined();
  expect(toWebview({ type: "vscode-internal" })).toBeUndefined();
});

test("chips", () => {
  const folders = ["file:///w/shop"];
  const range = { start: { line: 2, character: 0 }, end: { line: 9, character: 0 } };
  expect(chipOf({ kind: "file", uri: "file:///w/shop/src/a%20b.ts" }, folders)).toEqual({ icon: "file", label: "a b.ts", title: "src/a b.ts" });
  expect(chipOf({ kind: "folder", uri: "file:///w/shop/src/" }, folders).label).toBe("src/");
  expect(chipOf({ kind: "range", uri: "file:///w/shop/a.ts", range }, folders).label).toBe("a.ts:3–9");
  expect(chipOf({ kind: "range", uri: "file:///w/shop/a.ts", range, name: "load" }, folders)).toMatchObject({ icon: "symbol", label: "load" });
  expect(chipOf({ kind: "problems" }).label).toBe("Problems");
  expect(chipOf({ kind: "text", name: "log", text: "abc" }).title).toBe("log: 3 characters");
  expect(relativeTo([...folders, "file:///w/two"], "file:///w/two/x")).toBe("two/x");
  expect(relativeTo(folders, "file:///w/shopping/x")).toBe("/w/shopping/x");
});

test("fuzzy: the name counts more than the folders, the beginning more than the middle", () => {
  const files = ["src/cart/index.ts", "test/test_cart.py", "cart.py", "src/scarcity.ts", "docs/art.md"];
  expect(best("cart", files, (file) => file, 9)).toEqual(["cart.py", "test/test_cart.py", "src/cart/index.ts", "src/scarcity.ts", "docs/art.md"]);
  expect(best("cin", files, (file) => file, 1)).toEqual(["src/cart/index.ts"]);
  expect(best("art", files, (file) => file, 1)).toEqual(["docs/art.md"]);
  expect(score("xyz", "abc")).toBeUndefined();
  expect(best("", files, (file) => file, 2)).toEqual(files.slice(0, 2));
});

test("paths with lines", () => {
  expect(["a.ts", "src/a.ts:12", "a.ts:3:9", "a.ts#L7", "a.ts#L7-L9", "file:///x/a.ts:2"].map(placeOf)).toEqual([
    { path: "a.ts", line: 0 },
    { path: "src/a.ts", line: 11 },
    { path: "a.ts", line: 2 },
    { path: "a.ts", line: 6 },
    { path: "a.ts", line: 6 },
    { path: "file:///x/a.ts", line: 1 },
  ]);
});

test("texts that go along", () => {
  expect(isBinary(new TextEncoder().encode("naïve 😀"))).toBe(false);
  expect(isBinary(new Uint8Array([80, 75, 0, 4]))).toBe(true);
  expect(isBinary(new Uint8Array([0xff, 0xfe, 0x41]))).toBe(true);
  expect([isLong("x".repeat(2001)), isLong("a\n".repeat(30)), isLong("short")]).toEqual([true, true, false]);
  expect(nameOf("Traceback (most recent call last):\n  x\n")).toBe("Traceback (most recent call… (2 lines)");
});

test("a theme is read with what it includes, the later rules after the earlier", async () => {
  const files: Record<string, string> = {
    "./themes/dark.json": '{ // a comment\n "include": "./base/one.json", "tokenColors": [{"scope": "string", "settings": {"foreground": "#aaa"}},], }',
    "./themes/base/one.json": '{"colors": {"editor.foreground": "#ccc"}, "tokenColors": [{"scope": ["a", "b"], "settings": {"fontStyle": "bold"}}, {"settings": {"foreground": "#fff"}}]}',
  };
  const read = (path: string): Promise<string> => Promise.resolve(files[path] ?? files[`./${path}`] ?? "");
  expect(await readTheme("./themes/dark.json", read)).toEqual({
    rules: [
      { scope: ["a", "b"], settings: { fontStyle: "bold" } },
      { scope: "string", settings: { foreground: "#aaa" } },
    ],
    foreground: "#ccc",
  });
  const endless = (): Promise<string> => Promise.resolve('{"include": "./self.json"}');
  expect(await readTheme("./self.json", endless)).toMatchObject({ rules: [] });
  expect(beside("./themes/a.json", "../b.json")).toBe("./b.json");
  expect(rulesOf("no")).toEqual([]);
  const { theme, names } = fallback();
  for (const { settings } of theme.rules) expect(names.get(settings.foreground ?? "")).toMatch(/^var\(--vscode-/);
});

test("the chat follows the person, but leaves a session at work alone", () => {
  const started = (session: string): KaajEvent => ({
    ...{ session, seq: 1, time: 1, type: "task_started", task: `k-${session}`, prompt: `do ${session}`, mode: "ask", model: "m" },
  });
  const after = (state: ViewState, event: KaajEvent): ViewState => {
    const step = withEvent(state, event);
    return step.kind === "next" ? step.state : state;
  };
  const shown = new Shown();
  const one = after(EMPTY, started("a"));
  expect(shown.heard(started("a"), one)).toBe(true);
  const two = after(one, started("b"));
  expect(shown.heard(started("b"), two)).toBe(false);
  expect(shown.session).toBe("a");
  expect(shown.elsewhere(two)).toEqual({ session: "b", title: "do b" });
  shown.choose(undefined);
  expect(shown.elsewhere(two)?.session).toBe("a");
  expect(shown.heard(started("c"), two)).toBe(true);
});
