import { describe, expect, test } from "vitest";
import { hunkAt, relocated, reversed, sidesOf, spansIn, withHunks } from "../src/changes/changeText";
import type { FileChange, Hunk } from "../src/protocol.gen";

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

const BASE = "a\nb\nc\nd\ne\n";
const HUNKS = [hunk(0, 1, "a\n", "A\nA\n"), hunk(2, 2, "", "new\n"), hunk(3, 4, "d\n", "")];
const AFTER = "A\nA\nb\nnew\nc\ne\n";
const edit: FileChange = { uri: "file:///a", kind: "edit", hunks: HUNKS };

describe("hunks", () => {
  test("lead back from the text that they made", () => {
    expect(withHunks(BASE, HUNKS)).toBe(AFTER);
    expect(withHunks(AFTER, reversed(HUNKS))).toBe(BASE);
    expect(reversed(reversed(HUNKS)).map(({ range }) => range)).toEqual(HUNKS.map(({ range }) => range));
  });

  test("lead back at the end of a file without a final newline", () => {
    const last = { ...hunk(1, 1, "b", "B\nC"), range: { start: { line: 1, character: 0 }, end: { line: 1, character: 1 } } };
    expect(withHunks("a\nB\nC", reversed([last]))).toBe("a\nb");
  });

  test("are found where their lines have gone, the nearest ones", () => {
    const text = "d\n0\n0\na\nb\nc\nd\ne\nd\n";
    const moved = relocated(text, HUNKS);
    expect(moved?.map(({ range }) => range.start.line)).toEqual([3, 5, 6]);
    expect(moved && withHunks(text, moved)).toBe("d\n0\n0\nA\nA\nb\nnew\nc\ne\nd\n");
    expect(relocated("a\nb\n", HUNKS)).toBeUndefined();
  });
});

describe("both sides of a diff", () => {
  test("are the text and what the change makes of it", () => {
    expect(sidesOf(edit, "proposed", BASE)).toMatchObject({ before: BASE, after: AFTER });
    expect(sidesOf(edit, "undone", BASE)).toMatchObject({ before: BASE, after: AFTER });
  });

  test("are made from the end once the change is applied, edited elsewhere or not", () => {
    expect(sidesOf(edit, "applied", AFTER)).toMatchObject({ before: BASE, after: AFTER });
    expect(sidesOf(edit, "applied", `0\n${AFTER}`)).toMatchObject({ before: `0\n${BASE}`, after: `0\n${AFTER}` });
  });

  test("follow what was edited elsewhere", () => {
    expect(sidesOf(edit, "proposed", `0\n${BASE}`)).toMatchObject({ before: `0\n${BASE}`, after: `0\n${AFTER}` });
  });

  test("are the hunks alone where the text is another one, or gone", () => {
    for (const text of ["x\n", undefined]) {
      const { before, after, afterSpans } = sidesOf(edit, "proposed", text);
      expect(before).toContain("─── line 4 ───\nd\n");
      expect(after).toContain("─── line 1 ───\nA\nA\n");
      expect(before.split("\n")[0]).toMatch(text === undefined ? /not there any more/ : /edited since/);
      expect(after.split("\n")[afterSpans[0]?.first ?? -1]).toBe("A");
    }
  });

  test("are empty where a file is made or deleted", () => {
    const made: FileChange = { uri: "file:///b", kind: "create", hunks: [hunk(0, 0, "", "x\n")] };
    const gone: FileChange = { uri: "file:///b", kind: "delete", hunks: [hunk(0, 1, "x\n", "")] };
    expect(sidesOf(made, "applied", "x\n")).toMatchObject({ before: "", after: "x\n" });
    expect(sidesOf(gone, "proposed", "x\n")).toMatchObject({ before: "x\n", after: "" });
  });
});

describe("the hunk at the cursor", () => {
  const { beforeSpans, afterSpans } = sidesOf(edit, "proposed", BASE);
  const at = (spans: typeof afterSpans, ...lines: number[]): unknown[] => lines.map((line) => hunkAt(spans, line));
  test("is found on either side", () => {
    expect(at(afterSpans, 0, 1, 2, 3)).toEqual(["h0", "h0", undefined, "h2"]);
    expect(at(beforeSpans, 0, 1, 2, 3, 4)).toEqual(["h0", "h2", "h2", "h3", undefined]);
  });
  test("is found in the file itself, and anywhere where there is but one", () => {
    expect(hunkAt(spansIn(`0\n${BASE}`, HUNKS), 1)).toBe("h0");
    expect(hunkAt(spansIn(BASE, HUNKS.slice(0, 1)), 4)).toBe("h0");
    expect(hunkAt(spansIn("x\n", HUNKS), 0)).toBeUndefined();
  });
});
