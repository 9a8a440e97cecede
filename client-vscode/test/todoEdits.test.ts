import { describe, expect, test } from "vitest";
import type { TodoItem } from "../src/protocol.gen";
import { edited, idle, listToRun, type ListEdit } from "../src/tasks/todoEdits";

const item = (id: string, status: TodoItem["status"] = "pending"): TodoItem => ({ id, title: `do ${id}`, status, by: "model" });
const LIST = [item("a", "done"), item("b", "running"), item("c"), item("d", "skipped"), item("e", "failed")];
const order = (edit: ListEdit): string => edited(LIST, edit).map(({ id }) => id ?? "+").join("");

describe("an edit sends the whole list", () => {
  test("with a new item after another, or at the end", () => {
    expect(edited(LIST, { kind: "add", title: "  new ", after: "b" })[2]).toEqual({ title: "new" });
    expect(order({ kind: "add", title: "new", after: "b" })).toBe("ab+cde");
    expect(order({ kind: "add", title: "new" })).toBe("abcde+");
    expect(order({ kind: "add", title: "new", after: "gone" })).toBe("abcde+");
  });

  test("with a title or without some items, and no status that is not meant", () => {
    expect(edited(LIST, { kind: "rename", id: "c", title: "other" })[2]).toEqual({ id: "c", title: "other" });
    expect(order({ kind: "remove", ids: ["b", "e"] })).toBe("acd");
    expect(edited(LIST, { kind: "remove", ids: ["b"] }).every(({ status }) => status === undefined)).toBe(true);
  });

  test("with what is skipped, and what is not any more", () => {
    expect(edited(LIST, { kind: "skip", ids: ["c"] })[2]).toEqual({ id: "c", title: "do c", status: "skipped" });
    expect(edited(LIST, { kind: "unskip", ids: ["d"] })[3]).toEqual({ id: "d", title: "do d", status: "pending" });
  });

  test("with one item left to do", () => {
    const statuses = (ids: string[]): unknown[] => edited(LIST, { kind: "only", ids }).map(({ status }) => status);
    expect(statuses(["c"])).toEqual([undefined, "skipped", undefined, undefined, "skipped"]);
    expect(statuses(["d"])).toEqual([undefined, "skipped", "skipped", "pending", "skipped"]);
    expect(statuses(["e"])).toEqual([undefined, "skipped", "skipped", undefined, "pending"]);
    expect(statuses(["b"])).toEqual([undefined, undefined, "skipped", undefined, "skipped"]);
  });
});

describe("an item moves", () => {
  test.each<[ListEdit, string]>([
    [{ kind: "up", ids: ["c"] }, "acbde"],
    [{ kind: "up", ids: ["a"] }, "abcde"],
    [{ kind: "up", ids: ["a", "b"] }, "abcde"],
    [{ kind: "up", ids: ["c", "d"] }, "acdbe"],
    [{ kind: "up", ids: ["a", "c"] }, "acbde"],
    [{ kind: "down", ids: ["c"] }, "abdce"],
    [{ kind: "down", ids: ["e"] }, "abcde"],
    [{ kind: "down", ids: ["c", "d"] }, "abecd"],
    [{ kind: "move", ids: ["e"], at: "b" }, "aebcd"],
    [{ kind: "move", ids: ["a"], at: "c" }, "bcade"],
    [{ kind: "move", ids: ["a"], at: "e" }, "bcdea"],
    [{ kind: "move", ids: ["b", "d"], at: "a" }, "bdace"],
    [{ kind: "move", ids: ["a"] }, "bcdea"],
    [{ kind: "move", ids: ["b"], at: "b" }, "abcde"],
    [{ kind: "move", ids: ["b"], at: "gone" }, "abcde"],
    [{ kind: "move", ids: ["gone"], at: "b" }, "abcde"],
  ])("%j", (edit, expected) => {
    expect(order(edit)).toBe(expected);
  });
});

test("an edit that changes nothing is known as such", () => {
  const unchanged = (edit: ListEdit): boolean => idle(LIST, edited(LIST, edit));
  expect(unchanged({ kind: "up", ids: ["a"] })).toBe(true);
  expect(unchanged({ kind: "rename", id: "c", title: "do c " })).toBe(true);
  expect(unchanged({ kind: "up", ids: ["b"] })).toBe(false);
  expect(unchanged({ kind: "skip", ids: ["b"] })).toBe(false);
  expect(unchanged({ kind: "add", title: "x" })).toBe(false);
  expect(unchanged({ kind: "remove", ids: ["e"] })).toBe(false);
});

test("a new task goes on with what is left, or does one item again", () => {
  const statuses = (only?: string[]): unknown[] => listToRun(LIST, only).map(({ status }) => status);
  expect(statuses()).toEqual(["done", "pending", "pending", "skipped", "pending"]);
  expect(statuses(["a"])).toEqual(["pending", "skipped", "skipped", "skipped", "skipped"]);
  expect(listToRun(LIST).some((row) => "id" in row)).toBe(false);
});
