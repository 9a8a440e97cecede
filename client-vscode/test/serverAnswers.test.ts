import { expect, test } from "vitest";
import { diagnosticsAnswer, type EditorProblem } from "../src/server/diagnosticsAnswer";
import { describeExit } from "../src/server/serverProcess";
import { settingsAnswer } from "../src/server/settingsAnswer";
import { mismatch } from "../src/server/version";

const at = { start: { line: 2, character: 1 }, end: { line: 2, character: 5 } };
const problem = (given: Partial<EditorProblem>): EditorProblem => ({ range: at, message: "wrong", severity: 0, ...given });

test("problems of all sources but Kaaj's own, as LSP has them", () => {
  const answer = diagnosticsAnswer(
    [
      ["file:///a", [problem({ source: "ruff", code: { value: "F401" }, severity: 1 }), problem({ source: "Kaaj" })]],
      ["file:///b", [problem({ code: 7 })]],
      ["file:///c", []],
    ],
    undefined,
  );
  expect(answer.files).toEqual([
    { uri: "file:///b", diagnostics: [{ range: at, message: "wrong", severity: 1, code: 7 }] },
    { uri: "file:///a", diagnostics: [{ range: at, message: "wrong", severity: 2, source: "ruff", code: "F401" }] },
  ]);
  expect(diagnosticsAnswer([["file:///c", []]], "file:///c")).toEqual({ files: [{ uri: "file:///c", diagnostics: [] }] });
});

test("a thousand problems at most, and the errors are among them", () => {
  const many = Array.from({ length: 1_500 }, () => problem({ severity: 2 }));
  const { files } = diagnosticsAnswer([["file:///a", many], ["file:///b", [problem({ message: "x".repeat(9_000) })]]], undefined);
  expect(files.map(({ uri, diagnostics }) => [uri, diagnostics.length])).toEqual([["file:///b", 1], ["file:///a", 999]]);
  expect(files[0]?.diagnostics[0]?.message).toHaveLength(4_000);
});

test("only the person's own values of known settings go to the server, and the key from the secret storage", () => {
  const values: Record<string, { defaultValue?: unknown; globalValue?: unknown; workspaceValue?: unknown }> = {
    baseUrl: { defaultValue: "", globalValue: "https://mine/v1", workspaceValue: "https://evil/v1" },
    mode: { defaultValue: "ask", workspaceValue: "auto" },
    apiKey: { globalValue: "plain", workspaceValue: "evil" },
    base_url: { workspaceValue: "https://evil/v1" },
    path: { globalValue: "/opt/kaaj" },
  };
  expect(settingsAnswer((name) => values[name], "secret")).toEqual({ baseUrl: "https://mine/v1", mode: "ask", apiKey: "secret" });
  expect(settingsAnswer((name) => values[name], undefined)).not.toHaveProperty("apiKey");
});

test("which of the two is to be updated", () => {
  const speaks = (version: unknown) => mismatch({ experimental: { kaaj: { version } } })?.update;
  expect([1, 0, 2, "1"].map(speaks)).toEqual([undefined, "server", "extension", "server"]);
  for (const rubbish of [undefined, null, 3, {}, { experimental: "x" }]) expect(mismatch(rubbish)?.update).toBe("server");
});

test("how a process ended", () => {
  expect(describeExit({ code: 1, signal: null }, "ImportError: no")).toBe("It ended with exit code 1: ImportError: no");
  expect(describeExit({ code: null, signal: "SIGKILL" }, "")).toBe("It was ended by SIGKILL.");
});
