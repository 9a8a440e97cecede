"use strict";

/** Puts lib/ into one file, dist/household.js, and tries it. */
const fs = require("node:fs");
const path = require("node:path");

const lib = path.join(__dirname, "..", "lib");
const dist = path.join(__dirname, "..", "dist");
const order = ["csv", "money", "bookings", "rules", "report", "index"];

const parts = order.map((name) => {
  const source = fs.readFileSync(path.join(lib, `${name}.js`), "utf8");
  return `modules[${JSON.stringify("./" + name)}] = (module, require) => {\n${source}};\n`;
});
const loader = `
const loaded = {};
function load(name) {
  if (!(name in modules)) throw new Error("not in the bundle: " + name);
  if (!(name in loaded)) {
    const module = { exports: {} };
    modules[name](module, load);
    loaded[name] = module.exports;
  }
  return loaded[name];
}
module.exports = load("./index");
`;
fs.mkdirSync(dist, { recursive: true });
const out = path.join(dist, "household.js");
fs.writeFileSync(out, `const modules = {};\n${parts.join("")}${loader}`);
if (typeof require(out).run !== "function") {
  throw new Error("the bundle has no run()");
}
console.log(`built ${path.relative(process.cwd(), out)}`);
