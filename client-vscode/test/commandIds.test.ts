import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("..", import.meta.url);
const files = readdirSync(new URL("src", root), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
const sources = files.map((file) => readFileSync(new URL(`src/${file}`, root), "utf8"));
const registered = sources.flatMap((text) => [...text.matchAll(/\bregister\(\s*"(kaaj\.ui\.\w+)"/g)].map((match) => match[1]));

interface Manifest {
  contributes: { commands: { command: string }[] };
}
const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as Manifest;
const contributed = manifest.contributes.commands.map(({ command }) => command);

// Either of the two would keep the extension from starting, or leave a button dead.
test("no command is registered or contributed twice", () => {
  expect(registered.filter((id, at) => registered.indexOf(id) !== at)).toEqual([]);
  expect(contributed.filter((id, at) => contributed.indexOf(id) !== at)).toEqual([]);
});

test("every contributed command is registered", () => {
  expect(contributed.filter((id) => !registered.includes(id))).toEqual([]);
});

test("every command that a link, a button or a menu names is registered", () => {
  const whole = readFileSync(new URL("package.json", root), "utf8");
  const named = [whole, ...sources].flatMap((text) => [...text.matchAll(/\bkaaj\.ui\.\w+/g)].map(([id]) => id));
  expect([...new Set(named)].filter((id) => !registered.includes(id))).toEqual([]);
});
