import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Pulse } from "../src/server/pulse";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watched(): { pulse: Pulse; told: boolean[]; ask: () => (answer?: Error) => Promise<void> } {
  const told: boolean[] = [];
  const pulse = new Pulse((hangs) => {
    told.push(hangs);
  });
  const ask = (): ((answer?: Error) => Promise<void>) => {
    let end: (error?: Error) => void = () => undefined;
    const asked = new Promise<void>((resolve, reject) => {
      end = (error) => {
        if (error) reject(error);
        else resolve();
      };
    });
    const followed = pulse.follow(asked).catch(() => undefined);
    return async (error) => {
      end(error);
      await followed;
    };
  };
  return { pulse, told, ask };
}

test("what is not answered for 15 seconds is told once, and so is the answer", async () => {
  const { told, ask } = watched();
  const answer = ask();
  ask();
  vi.advanceTimersByTime(14_900);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([true]);
  await answer(new Error("refused: an answer too"));
  expect(told).toEqual([true, false]);
});

test("whoever is asked nothing may be silent", async () => {
  const { told, ask } = watched();
  vi.advanceTimersByTime(600_000);
  await ask()();
  vi.advanceTimersByTime(600_000);
  const late = ask();
  vi.advanceTimersByTime(10_000);
  await late();
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("one request takes long while other things are heard", () => {
  const { pulse, told, ask } = watched();
  ask();
  for (let second = 0; second < 100; second += 10) {
    vi.advanceTimersByTime(10_000);
    pulse.heard();
  }
  expect(told).toEqual([]);
});

test("a sleep of the machine is no silence of the server", () => {
  const { told, ask } = watched();
  ask();
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(10_000);
  expect(told).toEqual([]);
});

test("of a process that was let go of nothing is told", () => {
  const { pulse, told, ask } = watched();
  ask();
  pulse.dispose();
  vi.advanceTimersByTime(60_000);
  expect(told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
