import { expect, test } from "vitest";
import { Restarts, type AfterDeath } from "../src/server/restarts";

const seconds = (then: AfterDeath): number => (then.kind === "again" ? then.seconds : -1);

test("the waits double, and five deaths within three minutes are enough", () => {
  const restarts = new Restarts();
  const all = [0, 1, 2, 3, 4].map((minute) => restarts.died(minute * 10_000, 0));
  expect(all.map(seconds)).toEqual([1, 2, 4, 8, -1]);
  expect(all.at(-1)).toEqual({ kind: "enough", deaths: 5 });
});

test("a server that dies now and then is always started again, and waited for half a minute at most", () => {
  const restarts = new Restarts();
  const all = Array.from({ length: 20 }, (_, at) => restarts.died(at * 59_000, 30_000));
  expect(all.map(seconds).slice(0, 8)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  expect(all.every(({ kind }) => kind === "again")).toBe(true);
});

test("after a quiet minute, or when a person asks, the waits begin anew", () => {
  const restarts = new Restarts();
  for (let at = 0; at < 4; at += 1) restarts.died(at, 0);
  expect(restarts.died(200_000, 60_000)).toEqual({ kind: "again", seconds: 1 });
  for (let at = 0; at < 3; at += 1) restarts.died(200_001 + at, 0);
  restarts.forget();
  expect(restarts.died(200_005, 0)).toEqual({ kind: "again", seconds: 1 });
});
