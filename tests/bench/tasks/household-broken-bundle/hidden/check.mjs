import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { createRequire } from "node:module";
const require = createRequire(pathToFileURL("x.js"));

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
const original = path.join(process.env.KAAJ_TASK, "workspace");
for (const name of fs.readdirSync(path.join(original, "lib"))) {
  assert.equal(fs.readFileSync(`lib/${name}`, "utf8"), fs.readFileSync(path.join(original, "lib", name), "utf8"), `lib/${name} changed`);
}
const build = () => {
  fs.rmSync("dist", { recursive: true, force: true });
  const done = spawnSync("node", ["scripts/build.js"], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
};
const report = (file) => {
  const script = "const { run } = require(process.argv[1]); console.log(run('Date;Text;Amount\\n2.3.2024;Rent;-900,5\\n', 'home: rent'))";
  const done = spawnSync("node", ["-e", script, path.resolve(file)], { cwd: "/", encoding: "utf8" });
  return done.stdout + done.stderr;
};
const expected = "2024-03\n  home                 -900,50\n  sum                  -900,50\n";
build();
assert.equal(report("dist/household.js"), expected);
assert.equal(report("lib/index.js"), expected);
// The bundle stands alone, and another file without a last newline does no harm.
fs.mkdirSync("elsewhere");
fs.copyFileSync("dist/household.js", "elsewhere/household.js");
assert.equal(report("elsewhere/household.js"), expected);
fs.appendFileSync("lib/csv.js", "// the end");
try {
  build();
  assert.equal(report("dist/household.js"), expected);
} finally {
  fs.writeFileSync("lib/csv.js", fs.readFileSync(path.join(original, "lib", "csv.js")));
  fs.rmSync("elsewhere", { recursive: true });
  fs.rmSync("dist", { recursive: true });
}
console.log("solved");
