// Bundles the extension and the chat's page, each into one file, with the licences of what is in them beside it.
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
mkdirSync(`${root}/../dist`, { recursive: true });
copyFileSync(`${root}/../LICENSE`, `${root}/LICENSE`);
// The walkthrough's sample is the demo's project.
rmSync(`${root}/out/sample`, { recursive: true, force: true });
cpSync(`${root}/../server/kaaj_server/cli/demo_project`, `${root}/out/sample`, {
  recursive: true,
  filter: (file) => !file.includes("__pycache__"),
});
const common = { absWorkingDir: root, bundle: true, metafile: true, minify: true, legalComments: "none", logLevel: "warning" };
const extension = await esbuild.build({
  ...common,
  entryPoints: ["src/extension.ts"],
  outfile: "out/extension.js",
  platform: "node",
  target: "node20",
  format: "cjs",
  mainFields: ["module", "main"], // a UMD bundle has requires that no bundler sees
  external: ["vscode"],
});
const colours = await esbuild.build({
  ...common,
  entryPoints: ["src/chat/colour/worker.ts"],
  outfile: "out/colours.js",
  platform: "node",
  target: "node20",
  format: "cjs",
});
const webview = await esbuild.build({
  ...common,
  entryPoints: [{ in: "webview/main.tsx", out: "webview" }],
  outdir: "out",
  platform: "browser",
  target: "chrome124",
  format: "iife",
  loader: { ".svg": "text" },
  tsconfig: "webview/tsconfig.json",
});
// What finds the words in code for its colours; read when the first code block is shown.
copyFileSync(`${root}/node_modules/vscode-oniguruma/release/onig.wasm`, `${root}/out/onig.wasm`);

const packages = new Set(
  [extension, colours, webview].flatMap(({ metafile }) => Object.keys(metafile.inputs)).flatMap((file) => /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
);
const notices = [...packages].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`${root}/${folder}/package.json`, "utf8"));
  const licence = readdirSync(`${root}/${folder}`).find((file) => /^licen[cs]e/i.test(file));
  if (!licence) throw new Error(`${name} ${version} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(`${root}/${folder}/${licence}`, "utf8").trim()}\n`;
});
writeFileSync(`${root}/out/NOTICES.txt`, notices.join(`\n${"-".repeat(80)}\n\n`));
