import { describe, expect, test } from "vitest";
import { withHunks } from "../src/changes/changeText";
import type { Hunk } from "../src/protocol.gen";

const hunk = (from: number, to: number, old: string, fresh: string): Hunk => ({
  id: `h${from}`,
  range: { start: { line: from, character: 0 }, end: { line: to, character: 0 } },
  old,
  new: fresh,
});

describe("the text after a change", () => {
  test("has each hunk at its place", () => {
    const hunks = [hunk(0, 1, "a\n", "A\nA\n"), hunk(2, 2, "", "new\n"), hunk(3, 4, "d\n", "")];
    expect(withHunks("a\nb\nc\nd\ne", hunks)).toBe("A\nA\nb\nnew\nc\ne");
  });

  test("reaches the end of a file without a final newline", () => {
    const last = { ...hunk(1, 1, "b", "B\n") };
    last.range = { start: { line: 1, character: 0 }, end: { line: 1, character: 1 } };
    expect(withHunks("a\nb", [last])).toBe("a\nB\n");
    expect(withHunks("a\nb", [hunk(1, 2, "b", "B\n")])).toBe("a\nB\n");
  });

  test("counts UTF-16 and only real line ends", () => {
    const text = "🙂\u2028x\f\r\nnext\r\n";
    expect(withHunks(text, [hunk(1, 2, "next\r\n", "done\r\n")])).toBe("🙂\u2028x\f\r\ndone\r\n");
  });

  test("does not mind that the editor shows one kind of line end", () => {
    expect(withHunks("a\nb\n", [hunk(0, 2, "a\r\nb\n", "c\r\n")])).toBe("c\r\n");
  });

  test("is not made of another text", () => {
    expect(withHunks("a\nB\n", [hunk(1, 2, "b\n", "c\n")])).toBeUndefined();
    expect(withHunks("", [hunk(1, 2, "b\n", "c\n")])).toBeUndefined();
  });
});
