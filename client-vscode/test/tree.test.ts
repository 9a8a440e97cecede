import { expect, test } from "vitest";
import { inert, oneLine } from "../src/plainText";
import { redraw, type Row } from "../src/tree/row";

const row = (id: string, label: string, ...children: Row<number>[]): Row<number> => ({
  ...{ id, label, icon: "x", spoken: label, context: "c", about: 0, children },
});

test("only what has changed is drawn anew", () => {
  const before = [row("a", "A", row("a1", "1"), row("a2", "2")), row("b", "B")];
  expect(redraw(before, [row("a", "A", row("a1", "1"), row("a2", "2")), row("b", "B")])).toEqual([]);
  expect(redraw(before, [row("a", "A", row("a1", "1"), row("a2", "two")), row("b", "B")])).toEqual(["a2"]);
  expect(redraw(before, [row("a", "A", row("a1", "1")), row("b", "b")])).toEqual(["a", "b"]);
  expect(redraw(before, [row("b", "B"), row("a", "A")])).toBe("all");
  expect(redraw([], before)).toBe("all");
  expect(redraw([], [])).toEqual([]);
});

test("words from outside are cut to a line, and no half character is left", () => {
  expect(oneLine(" a\r\n\tb\u0000 ")).toBe("a ⏎ b�");
  expect(oneLine("🙂🙂🙂", 4)).toBe("🙂…");
  expect(oneLine("x".repeat(300))).toHaveLength(200);
  expect(oneLine("x".repeat(300_000), 10)).toBe("xxxxxxxxx…");
});

test("in a message nothing becomes a link or a picture", () => {
  expect(inert("[a](command:b) $(trash)")).not.toMatch(/\]\(|\$\(/);
});
