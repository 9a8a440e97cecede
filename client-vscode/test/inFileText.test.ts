import { expect, test } from "vitest";
import { diffText, ghost, hunksInFile, touched } from "../src/changes/inFileText";
import { unmarked } from "../src/plainText";
import type { Change, FileChange, Hunk } from "../src/protocol.gen";

const hunk = (line: number, old: string, fresh: string): Hunk => ({
  id: `h${line}`,
  range: { start: { line, character: 0 }, end: { line: line + old.split("\n").length - 1, character: 0 } },
  old,
  new: fresh,
});
const file = (kind: FileChange["kind"], ...hunks: Hunk[]): FileChange => ({ uri: "file:///a", kind, hunks });
const change: Change = { id: "c", task: "k", digest: "d", state: "proposed", summary: "", files: [] };

test("one line tells what it would become, more do not", () => {
  expect(ghost(hunk(0, "  a = 1\n", "  a = 2\n"))).toBe("→ a = 2");
  expect(ghost(hunk(0, "a\r\n", `${"x".repeat(200)}\r\n`))).toHaveLength(82);
  expect(ghost(hunk(0, "a\n", "b\nc\n"))).toBeUndefined();
  expect(ghost(hunk(0, "a\n", ""))).toBeUndefined();
  expect(ghost(hunk(0, "", "b\n"))).toBeUndefined();
});

test("a hunk is a diff on hover, cut where it is long", () => {
  expect(diffText(hunk(0, "a\r\nb\n", "A\n"))).toBe("-a\n-b\n+A");
  const long = diffText(hunk(0, "", "x\n".repeat(100))).split("\n");
  expect(long).toHaveLength(41);
  expect(long.at(-1)).toBe("… 60 more lines");
});

test("hunks are where their lines are, in files that are edited", () => {
  const edit = file("edit", hunk(1, "b\n", "B\n"), hunk(2, "", "new\n"));
  const lines = hunksInFile("0\na\nb\nc\n", change, edit).map(({ span }) => touched(span));
  expect(lines).toEqual([
    [2, 2],
    [2, 3],
  ]);
  expect(hunksInFile("x\n", change, edit)).toEqual([]);
  expect(hunksInFile("b\n", change, file("delete", hunk(0, "b\n", "")))).toEqual([]);
  expect(hunksInFile("b\n", change, file("rename", hunk(0, "", "")))).toEqual([]);
});

test("a summary's Markdown is taken off", () => {
  expect(unmarked("## The **prices** are `summed`, see [cart](./cart.py)")).toBe("The prices are summed, see cart");
  expect(unmarked("- a_b_c * 2 and __init__")).toBe("a_b_c * 2 and __init__");
  expect(unmarked("2 ** 3 is `` ` ``")).toBe("2 ** 3 is `");
});
