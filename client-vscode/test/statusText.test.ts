import { expect, test } from "vitest";
import type { ServerStatus } from "../src/server/serverStatus";
import type { Progress } from "../src/state/projection";
import { statusText } from "../src/status/statusText";

const idle: Progress = { running: 0, done: 0, total: 0, current: undefined, proposed: 0, asked: 0 };
const runs: ServerStatus = { kind: "running", command: "/bin/kaaj", restricted: false };
const shown = (status: ServerStatus, progress: Partial<Progress> = {}, now = 0) =>
  statusText(status, { ...idle, ...progress }, { name: "qwen", embedded: true }, now);

test("each state of the server has its text, its reason and its click", () => {
  const stopped = (why: "missing" | "broken" | "died" | "asked"): ServerStatus => ({ kind: "stopped", why, message: "Because." });
  expect(shown({ kind: "restarting", at: 5_500, why: "It ended." }, {}, 2_000)).toMatchObject({
    text: "$(debug-restart) Kaaj: restarting in 4 s",
    details: ["It ended."],
    tone: "warning",
  });
  expect(shown(stopped("missing"))).toMatchObject({ text: "$(cloud-download) Kaaj: not installed", click: "kaaj.ui.install" });
  for (const why of ["broken", "died", "asked"] as const) {
    expect(shown(stopped(why))).toMatchObject({ text: expect.stringContaining("stopped") as string, details: ["Because."] });
  }
  for (const update of ["server", "extension"] as const) {
    const text = shown({ kind: "stopped", why: "version", message: "Because.", update });
    expect(text.text).toContain(`update the ${update}`);
    expect(text.links[0]?.command).toBe(text.click);
  }
});

test("a server that hangs, or is not well, is not told to be ready", () => {
  expect(shown({ kind: "hanging", message: "No answer." }, { running: 1 })).toMatchObject({ tone: "warning", details: ["No answer."], click: "kaaj.ui.serverMenu" });
  expect(shown({ ...runs, trouble: "All is lost." })).toMatchObject({ tone: "warning", click: "kaaj.ui.serverMenu" });
  expect(shown({ ...runs, trouble: "All is lost." }).details[0]).toBe("All is lost.");
});

test("what waits for the person comes before what goes on", () => {
  expect(shown(runs).text).toBe("$(checklist) Kaaj");
  expect(shown(runs, { running: 1, done: 1, total: 3, current: "Shout" })).toMatchObject({
    text: "$(sync~spin) Kaaj 1/3",
    label: "Kaaj is at work, 1 of 3 done: Shout",
  });
  expect(shown(runs, { running: 1, proposed: 2 }).text).toContain("2 changes");
  expect(shown(runs, { running: 1, proposed: 2, asked: 1 }).text).toContain("asks");
});

test("a screen reader hears no icon", () => {
  const all: ServerStatus[] = [runs, { ...runs, restricted: true }, { kind: "starting" }, { kind: "installing" }];
  for (const status of all) expect(shown(status).label).not.toContain("$(");
  expect(shown({ ...runs, restricted: true }).text).toBe("$(shield) Kaaj: plan only");
});
