import { expect, test } from "vitest";
import { findServer } from "../src/server/findServer";

const among =
  (...files: string[]) =>
  (file: string): boolean =>
    files.includes(file);

test("the setting wins over the PATH", () => {
  const exists = among("/opt/kaaj", "/usr/bin/kaaj");
  expect(findServer(" /opt/kaaj ", "/usr/bin", "linux", exists)).toEqual({ command: "/opt/kaaj" });
});

test("the first on the PATH is taken, and a folder relative to the workspace never", () => {
  const exists = among("kaaj", "bin/kaaj", "/a/kaaj", "/b/kaaj");
  expect(findServer("", ".::bin:/a:/b", "linux", exists)).toEqual({ command: "/a/kaaj" });
  expect(findServer("", "C:\\x;D:\\y", "win32", among("D:\\y\\kaaj.exe"))).toEqual({ command: "D:\\y\\kaaj.exe" });
});

test("what is wrong is said", () => {
  const problem = (configured: string): string => {
    const found = findServer(configured, "/a", "linux", among());
    return "problem" in found ? found.problem : "";
  };
  expect(problem("")).toContain("pipx install");
  expect(problem("/opt/kaaj")).toContain("no such file");
  expect(problem("./kaaj")).toContain("full path");
});
