import { expect, test } from "vitest";
import { mergeQuestion, staleFiles, undoing } from "../src/changes/undoing";
import type { Change, FileChange } from "../src/protocol.gen";

const file = { uri: "file:///shop/cart.py", kind: "edit", hunks: [] } as unknown as FileChange;
const change = { id: "change-1", files: [file] } as unknown as Change;

test("a change is undone in whole, or in the file that is pointed at", () => {
  expect(undoing({ change })).toEqual({ change: "change-1" });
  expect(undoing({ change, file })).toEqual({ change: "change-1", uri: file.uri });
});

test("only a refusal that names files is one about later edits", () => {
  const refused = Object.assign(new Error("…"), { code: -32803, data: { stale: ["cart.py", "shop/a.py"] } });
  expect(staleFiles(refused)).toEqual(["cart.py", "shop/a.py"]);
  for (const error of [new Error("…"), Object.assign(new Error("…"), { data: { field: "change" } }), { data: { stale: 3 } }, null, "no"]) {
    expect(staleFiles(error)).toEqual([]);
  }
});

test("the question names the files, and how many more there are", () => {
  expect(mergeQuestion(["cart.py"])).toMatch(/^cart\.py: edited since/);
  const many = ["a", "b", "c", "d", "e", "f", "g"];
  expect(mergeQuestion(many)).toMatch(/^a, b, c, d, e and 2 more files: /);
});
