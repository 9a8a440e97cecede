import { expect, test } from "vitest";
import { ServerProcess } from "../src/server/serverProcess";
import { Run } from "../src/setup/run";
import type { Command } from "../src/setup/plan";

const node = (script: string): Command => [process.execPath, "-e", script];

function shownBy(commands: Command[]): { run: Run; text: () => string } {
  let text = "";
  const run = new Run(commands, process.cwd(), (more) => {
    text += more;
  });
  return { run, text: () => text };
}

test("each program is shown and run once the one before has ended well", async () => {
  const { run, text } = shownBy([node("console.log('one')"), node("console.error('two'); process.exit(3)"), node("console.log('three')")]);
  await run.all({});
  expect(await run.ended).toEqual({ kind: "failed", code: 3 });
  expect(text()).toMatch(/> .*one[^]*\none\n[^]*\ntwo\n\nIt failed with exit code 3\.\n$/);
  expect(text()).not.toContain("three");
});

test("a program that is not there has failed", async () => {
  const { run } = shownBy([["/no/such/program"]]);
  await run.all({});
  expect(await run.ended).toEqual({ kind: "failed", code: null });
});

test("a cancel ends the program that runs, with what it started, and the rest is left out", async () => {
  let cancelled = false;
  const child = "setInterval(() => undefined, 1000)";
  const parent = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(child)}], { stdio: "inherit" }); console.log("up"); ${child}`;
  const run = new Run([node(parent), node("console.log('next')")], process.cwd(), (text) => {
    if (text === "next\n") throw new Error("the next one ran");
    if (!cancelled && text === "up\n") {
      cancelled = true;
      run.cancel();
    }
  });
  // It would not end if the grandchild still held the pipe.
  await run.all({});
  expect(await run.ended).toEqual({ kind: "cancelled" });
});

test("a server's last words are kept, and its exit code", async () => {
  const server = await ServerProcess.start(...args("console.error('Traceback'); console.error('ImportError: no'); console.error(''); process.exit(3)"));
  expect(await server.exited).toEqual({ code: 3, signal: null });
  expect(server.lastWords).toBe("ImportError: no");
});

test("a program that cannot be started is told as such", async () => {
  await expect(ServerProcess.start("/no/such/program", [], process.cwd(), () => undefined)).rejects.toThrow("ENOENT");
});

test("a server that does not leave is killed", async () => {
  const stubborn = "process.on('SIGTERM', () => undefined); console.error('up'); setInterval(() => undefined, 1000)";
  let up: () => void = () => undefined;
  const isUp = new Promise<void>((resolve) => {
    up = resolve;
  });
  const [program, rest, folder] = args(stubborn);
  const server = await ServerProcess.start(program, rest, folder, () => {
    up();
  }, 50);
  await isUp;
  await server.end();
  expect(await server.exited).toEqual({ code: null, signal: "SIGKILL" });
});

function args(script: string): [string, string[], string, () => void] {
  return [process.execPath, ["-e", script], process.cwd(), () => undefined];
}
