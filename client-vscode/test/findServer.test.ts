import { expect, test } from "vitest";
import { findServer, type Surroundings } from "../src/server/findServer";

const among =
  (...files: string[]) =>
  (file: string): boolean =>
    files.includes(file);

function around(given: Partial<Surroundings>): Surroundings {
  return { configured: "", env: {}, home: "/home/me", storage: "/ext", workspace: ["/work"], platform: "linux", ...given };
}

test("the setting wins over all else, also where it is in the workspace", () => {
  const exists = among("/work/.venv/bin/kaaj", "/usr/bin/kaaj", "/env/bin/kaaj");
  const given = around({ configured: " /work/.venv/bin/kaaj ", env: { PATH: "/usr/bin" }, python: "/env/bin/python" });
  expect(findServer(given, exists)).toEqual({ command: "/work/.venv/bin/kaaj", origin: "setting" });
});

test("then the Python extension's environment, the PATH, the usual places, the extension's own", () => {
  const files = ["/env/bin/kaaj", "/usr/bin/kaaj", "/home/me/.local/bin/kaaj", "/ext/server/bin/kaaj"];
  const given = around({ env: { PATH: "/usr/bin" }, python: "/env/bin/python" });
  const found = files.map((_, at) => findServer(given, among(...files.slice(at))));
  expect(found).toEqual([
    { command: "/env/bin/kaaj", origin: "python" },
    { command: "/usr/bin/kaaj", origin: "path" },
    { command: "/home/me/.local/bin/kaaj", origin: "usual" },
    { command: "/ext/server/bin/kaaj", origin: "own" },
  ]);
});

test("where pipx, uv and Homebrew put it", () => {
  for (const file of [
    "/home/me/.local/share/pipx/venvs/kaaj/bin/kaaj",
    "/home/me/.local/share/uv/tools/kaaj/bin/kaaj",
    "/opt/homebrew/bin/kaaj",
  ]) {
    expect(findServer(around({}), among(file))).toEqual({ command: file, origin: "usual" });
  }
  const moved = around({ env: { PIPX_HOME: "/px", PIPX_BIN_DIR: "/pxbin" } });
  expect(findServer(moved, among("/pxbin/kaaj"))).toEqual({ command: "/pxbin/kaaj", origin: "usual" });
  expect(findServer(moved, among("/px/venvs/kaaj/bin/kaaj"))).toMatchObject({ origin: "usual" });
});

test("a workspace's programs are passed over: relative to it, on the PATH, in its environment", () => {
  const exists = among("kaaj", "bin/kaaj", "/work/bin/kaaj", "/work/.venv/bin/kaaj", "/workshop/kaaj", "/b/kaaj");
  const path = (PATH: string): Surroundings => around({ env: { PATH }, python: "/work/.venv/bin/python" });
  expect(findServer(path(".::bin:/work/bin:/work:/b"), exists)).toEqual({ command: "/b/kaaj", origin: "path" });
  expect(findServer(path("/workshop"), exists)).toEqual({ command: "/workshop/kaaj", origin: "path" });
  const none = findServer(path("/work/bin"), exists);
  expect(none).toMatchObject({ missing: true });
  expect("problem" in none && none.problem).toContain("/work/.venv/bin/kaaj");
});

test("on Windows", () => {
  const given = around({ env: { Path: "C:\\x;D:\\y" }, workspace: ["C:\\x"], platform: "win32" });
  const exists = among("C:\\x\\kaaj.exe", "D:\\y\\kaaj.exe");
  expect(findServer(given, exists)).toEqual({ command: "D:\\y\\kaaj.exe", origin: "path" });
});

test("what is wrong is said", () => {
  expect(findServer(around({}), among())).toMatchObject({ missing: true });
  for (const [configured, words] of [["/opt/kaaj", "no such file"], ["./kaaj", "full path"]] as const) {
    const found = findServer(around({ configured }), among());
    expect(found).toMatchObject({ missing: false });
    expect("problem" in found && found.problem).toContain(words);
  }
});
