import { expect, test } from "vitest";
import { installPlan, pythonCandidates, shown, updatePlan } from "../src/setup/plan";
import type { Surroundings } from "../src/server/findServer";
import { modelsOf, sizeOf } from "../src/setup/modelList";

const around: Surroundings = {
  configured: "",
  env: { PATH: "/usr/bin:/work/bin:/opt/py/bin" },
  home: "/home/me",
  storage: "/home/me/My Ext",
  workspace: ["/work"],
  platform: "linux",
};

test("pipx before uv before a virtual environment of the extension's own", () => {
  const tools = { pipx: "/usr/bin/pipx", uv: "/usr/bin/uv", python: "/usr/bin/python3.12" };
  const plan = (given: Partial<typeof tools>) => installPlan(given, around.storage, "linux");
  expect(plan(tools)?.commands).toEqual([["/usr/bin/pipx", "install", "--python", "/usr/bin/python3.12", "kaaj[local]"]]);
  expect(plan({ pipx: tools.pipx })?.commands).toEqual([["/usr/bin/pipx", "install", "kaaj[local]"]]);
  expect(plan({ uv: tools.uv, python: tools.python })?.commands).toEqual([["/usr/bin/uv", "tool", "install", "kaaj[local]"]]);
  expect(plan({ python: tools.python })?.commands).toEqual([
    ["/usr/bin/python3.12", "-m", "venv", "/home/me/My Ext/server"],
    ["/home/me/My Ext/server/bin/python", "-m", "pip", "install", "--upgrade", "kaaj[local]"],
  ]);
  expect(plan({})).toBeUndefined();
});

test("it is updated by what installed it", () => {
  const tools = { pipx: "/usr/bin/pipx", uv: "/usr/bin/uv" };
  const plan = (origin: "usual" | "own" | "path" | "python", target: string) =>
    updatePlan({ command: "/x/kaaj", origin }, target, tools, { ...around, python: "/env/bin/python" })?.commands;
  expect(plan("usual", "/home/me/.local/share/pipx/venvs/kaaj/bin/kaaj")).toEqual([["/usr/bin/pipx", "upgrade", "kaaj"]]);
  expect(plan("path", "/home/me/.local/share/uv/tools/kaaj/bin/kaaj")).toEqual([["/usr/bin/uv", "tool", "upgrade", "kaaj"]]);
  expect(plan("own", "/home/me/My Ext/server/bin/kaaj")?.[0]?.[0]).toBe("/home/me/My Ext/server/bin/python");
  expect(plan("python", "/env/bin/kaaj")?.[0]?.[0]).toBe("/env/bin/python");
  expect(plan("path", "/usr/bin/kaaj")).toBeUndefined();
});

test("no program of the workspace is a candidate", () => {
  const exists = (file: string): boolean => ["/work/bin/python3.13", "/usr/bin/python3", "/opt/py/bin/python3.12"].includes(file);
  expect(pythonCandidates(around, exists)).toEqual(["/opt/py/bin/python3.12", "/usr/bin/python3"]);
});

test("the command is shown as one would type it", () => {
  expect(shown(["/usr/bin/pipx", "install", "kaaj[local]"], "linux")).toBe("/usr/bin/pipx install 'kaaj[local]'");
  expect(shown(["C:\\My Tools\\uv.exe", "it's"], "win32")).toBe(`"C:\\My Tools\\uv.exe" "it's"`);
  expect(shown(["/a b/it's"], "linux")).toBe("'/a b/it'\\''s'");
});

test("the list of models, the default first; anything else is refused", () => {
  const rows = [
    { name: "small", bytes: 491_400_064, path: "/m", default: false },
    { name: "big", bytes: 1_117_320_768, path: null, default: true },
  ];
  const models = modelsOf(JSON.stringify(rows));
  expect(models.map(({ name, bytes }) => `${name} ${sizeOf(bytes)}`)).toEqual(["big 1.1 GB", "small 491 MB"]);
  for (const wrong of ["", "{}", '[{"name":"x"}]', "<html>"]) expect(() => modelsOf(wrong)).toThrow("Update");
});
