// Bundles the extension into one file, with the licences of what is in it beside it.
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
const { metafile } = await esbuild.build({
  absWorkingDir: root,
  entryPoints: ["src/extension.ts"],
  outfile: "out/extension.js",
  bundle: true,
  metafile: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  mainFields: ["module", "main"], // a UMD bundle has requires that no bundler sees
  external: ["vscode"],
  minify: true,
  legalComments: "none",
  logLevel: "warning",
});

const packages = new Set(
  Object.keys(metafile.inputs).flatMap((file) => /^(?:.*\/)?(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? []),
);
const notices = [...packages].sort().map((folder) => {
  const { name, version } = JSON.parse(readFileSync(`${root}/${folder}/package.json`, "utf8"));
  const licence = readdirSync(`${root}/${folder}`).find((file) => /^licen[cs]e/i.test(file));
  if (!licence) throw new Error(`${name} ${version} has no licence file`);
  return `${name} ${version}\n\n${readFileSync(`${root}/${folder}/${licence}`, "utf8").trim()}\n`;
});
writeFileSync(`${root}/out/NOTICES.txt`, notices.join(`\n${"-".repeat(80)}\n\n`));
