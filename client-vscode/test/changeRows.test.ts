import { expect, test } from "vitest";
import { counts, decision, preview } from "../src/changes/changeParts";
import { changeRows } from "../src/changes/changeRows";
import { checkText } from "../src/changes/checkText";
import type { Change, Check, FileChange, Hunk } from "../src/protocol.gen";

const hunk = (id: string, old: string, fresh: string): Hunk => ({
  id,
  range: { start: { line: 1, character: 0 }, end: { line: 2, character: 0 } },
  old,
  new: fresh,
});
const edit: FileChange = { uri: "file:///w/src/a.py", kind: "edit", hunks: [hunk("h1", "a\n", "b\n"), hunk("h2", "", "  c\nd\n")] };
const made: FileChange = { uri: "file:///w/new.md", kind: "create", hunks: [hunk("h3", "", "x\ny")] };
const moved: FileChange = { uri: "file:///w/o.py", new_uri: "file:///w/n.py", kind: "rename", hunks: [hunk("h4", "", "")] };
const check: Check = { status: "passed", command: "make test", output: "fine", seconds: 1.25, parsed: true, sandboxed: true, exit_code: 0 };
const change = (more: Partial<Change> = {}): Change => ({
  ...{ id: "c1", task: "k1", digest: "d1", state: "proposed", summary: "Do it", files: [edit, made, moved] },
  ...more,
});
const nameOf = (uri: string): string => uri.replace("file:///w/", "");

test("a decision names the digest, and hunks only where some are left out", () => {
  expect(decision({ change: change() })).toEqual({ change: "c1", digest: "d1" });
  expect(decision({ change: change(), file: edit }, " too long ")).toEqual({
    ...{ change: "c1", digest: "d1", hunks: ["h1", "h2"], reason: "too long" },
  });
  const [, second] = edit.hunks;
  if (second) expect(decision({ change: change(), file: edit, hunk: second }, "  ").hunks).toEqual(["h2"]);
  expect(decision({ change: change({ files: [made] }), file: made })).toEqual({ change: "c1", digest: "d1" });
});

test("lines are counted, the last one without an end too", () => {
  expect(counts([hunk("h", "a\r\nb", "a\n"), hunk("i", "", "x\ry\r\n")])).toEqual({ added: 3, removed: 2 });
});

test("a hunk is shown by the first line that says something", () => {
  expect(preview(hunk("h", "old\n", "\n\n   new line  \nmore"))).toBe("new line");
  expect(preview(hunk("h", "\tgone\n", ""))).toBe("gone");
  expect(preview(hunk("h", "\n", "\n \n"))).toBe("");
});

test("a change has its check, its files and their hunks below it", () => {
  const [row] = changeRows([change({ check })], nameOf);
  expect(row).toMatchObject({
    label: "Do it",
    description: "proposed · +5 −1 · check ✓",
    context: "change.proposed.checked",
    spoken: "Do it, proposed, 3 files, 5 lines added, 1 line removed, check passed",
  });
  expect(row?.children?.map(({ label, description }) => `${label} | ${description ?? ""}`)).toEqual([
    "Check passed | make test · 1.3 s",
    "a.py | src · +3 −1",
    "new.md | new · +2 −0",
    "n.py | renamed from o.py · +0 −0",
  ]);
  expect(row?.children?.map(({ children }) => children?.length ?? 0)).toEqual([0, 2, 0, 0]);
  expect(row?.children?.[1]?.children?.[1]).toMatchObject({ label: "Line 2", description: "+2 −0 · c", context: "hunk.proposed" });
});

test("names and titles from outside stay text", () => {
  const odd = { ...edit, uri: "file:///w/<img src=x>\n[a](command:b).py" };
  const [row] = changeRows([change({ summary: "<script>\u0007\n$(x)", files: [odd] })], nameOf);
  expect(row?.label).toBe("<script>� ⏎ $(x)");
  expect(row?.children?.[0]?.label).toBe("<img src=x> ⏎ [a](command:b).py");
});

test("what has no files is not drawn, and what is long is cut", () => {
  expect(changeRows([change({ files: [] })], nameOf)).toEqual([]);
  const many = Array.from({ length: 80 }, (_, index) => change({ id: `c${index}` }));
  expect(changeRows(many, nameOf)).toHaveLength(50);
  const [row] = changeRows([change({ check: { ...check, status: "failed", output: "x".repeat(20_000) } })], nameOf);
  expect(row?.children?.[0]?.tooltip?.length).toBeLessThan(2000);
});

test("the check's output is a text of its own", () => {
  expect(checkText(check)).toBe("$ make test\n# passed, exit code 0, 1.3 s, in a sandbox\n\nfine\n");
  const none: Check = { ...check };
  delete none.exit_code;
  expect(checkText({ ...none, status: "none", command: "", output: "", parsed: false, sandboxed: false })).toBe(
    "No command was run.\n# none, 1.3 s; a file does not parse\n\n(no output)\n",
  );
});

test("what a look does not show is said at the hunk and at the file", () => {
  const hidden = { ...hunk("h1", "a\n", "b\n"), warning: "Look closely: it holds characters that do not show." };
  const odd: FileChange = { ...edit, hunks: [hidden], warning: "Look closely: editors act on this file." };
  const file = changeRows([{ ...change(), files: [odd] }], (uri) => uri)[0]?.children?.find(({ icon }) => icon === "file");
  expect(file).toMatchObject({ description: expect.stringContaining("look closely") as string });
  expect(file?.tooltip).toContain("editors act");
  expect(file?.children?.[0]).toMatchObject({ icon: "warning", description: expect.stringContaining("look closely") as string });
  expect(file?.children?.[0]?.spoken).toContain("do not show");
});
