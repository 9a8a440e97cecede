import { expect, test } from "vitest";
import "./setup";
import type { TodoItem, Usage } from "../../src/protocol.gen";
import { keyDeed, mentionAt, withMention } from "../mention";
import { saying } from "../speech";
import { agoText, costText, fullness, secondsText, tokensText, usageText, usageTitle } from "../usage";

const USAGE: Usage = {
  ...{ requests: 2, prompt_tokens: 12_000, cached_tokens: 9_000, completion_tokens: 345 },
  ...{ context_tokens: 8_192, context_window: 32_768 },
};

test("tokens, cost and time in few characters", () => {
  expect([999, 1000, 12_345, 99_949, 123_456, 1_234_567].map(tokensText)).toEqual(["999", "1k", "12.3k", "99.9k", "123k", "1.2M"]);
  expect([undefined, 0, 0.00004, 0.0123, 0.5, 2.345].map(costText)).toEqual(["", "", "< 0.0001", "0.012", "0.50", "2.35"]);
  expect([0.04, 9.9, 12.4, 75, 3700].map(secondsText)).toEqual(["0.0 s", "9.9 s", "12 s", "1 min 15 s", "1 h 1 min"]);
  expect(usageText({ ...USAGE, cost: 0.02 })).toBe("12.3k tokens · cost 0.020");
  expect(usageTitle(USAGE)).toBe("2 requests\n12,000 tokens read (9,000 from the cache)\n345 tokens written");
  expect(usageTitle({ ...USAGE, cost: 0 })).toContain("no cost");
});

test("how full the window is, where that is known", () => {
  expect(fullness(USAGE, 0)).toBe(0.25);
  expect(fullness({ ...USAGE, context_window: 0 }, 16_384)).toBe(0.5);
  expect(fullness({ ...USAGE, context_window: 0 }, 0)).toBeUndefined();
  expect(fullness(undefined, 16_384)).toBeUndefined();
});

test("how long ago", () => {
  const now = 1_790_000_000;
  expect([now, now - 120, now - 7300, now - 90_000].map((time) => agoText(time, now))).toEqual(["now", "2 min", "2 h", "1 d"]);
});

test("a mention begins with an @ at the beginning of a word", () => {
  const at = (text: string): string | undefined => mentionAt(text, text.length)?.query;
  expect([at("@"), at("fix @src/a.ts"), at("(@a"), at("mail me@home"), at("@a b"), at("no")]).toEqual(["", "src/a.ts", "a", undefined, undefined, undefined]);
  expect(mentionAt("see @car please", 8)).toEqual({ start: 4, query: "car" });
});

test("a chosen mention is written out, with one space behind it", () => {
  expect(withMention("see @ca", { start: 4, query: "ca" }, "cart.py")).toEqual({ text: "see @cart.py ", cursor: 13 });
  expect(withMention("see @ca, ok", { start: 4, query: "ca" }, "my file.py")).toEqual({ text: "see @my-file.py , ok", cursor: 16 });
  expect(withMention("@ca then", { start: 0, query: "ca" }, "cart.py")).toEqual({ text: "@cart.py then", cursor: 9 });
});

test("keys in the text field", () => {
  const key = (name: string, more: object = {}) => ({ key: name, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, isComposing: false, ...more });
  const plain = { list: false, running: false, atStart: false };
  expect(keyDeed(key("Enter"), plain)).toBe("send");
  expect(keyDeed(key("Enter", { shiftKey: true }), plain)).toBeUndefined();
  expect(keyDeed(key("Enter", { isComposing: true }), plain)).toBeUndefined();
  expect(keyDeed(key("c", { ctrlKey: true }), plain)).toBeUndefined();
  expect(keyDeed(key("Escape"), plain)).toBeUndefined();
  expect(keyDeed(key("Escape"), { ...plain, running: true })).toBe("stop");
  expect(keyDeed(key("Escape"), { ...plain, running: true, list: true })).toBe("close");
  const list = { ...plain, list: true };
  expect(["Enter", "Tab", "ArrowDown", "ArrowUp"].map((name) => keyDeed(key(name), list))).toEqual(["choose", "choose", "next", "previous"]);
  expect(["Tab", "ArrowDown", "ArrowUp"].map((name) => keyDeed(key(name), plain))).toEqual([undefined, undefined, undefined]);
  expect(keyDeed(key("Backspace"), { ...plain, atStart: true })).toBe("chips");
});


test("what is said of the to-do list", () => {
  const list = (...states: TodoItem["status"][]): TodoItem[] => states.map((status, index) => ({ id: `${index}`, title: "x", status, by: "model" }));
  const said = (before: TodoItem[], now: TodoItem[]): string | undefined => saying(before, now)?.text;
  expect(said([], list("pending", "pending"))).toBe("created a to-do list");
  expect(said([], [])).toBeUndefined();
  expect(said(list("running", "pending"), list("done", "running"))).toBe("item one done");
  expect(said(list("done", "running", "pending"), list("done", "done", "pending"))).toBe("item two done");
  expect(said(list("running", "pending", "pending"), list("done", "done", "pending"))).toBe("items one and two done");
  expect(said(list("done", "running"), list("done", "done"))).toBe("item two done, the list is finished");
  expect(said(list("running", "pending"), list("failed", "pending"))).toBe("item one failed");
  expect(said(list("pending", "pending"), list("running", "pending"))).toBeUndefined();
  expect(said(list("done"), list("pending"))).toBeUndefined();
});
