// Makes src/protocol.gen.ts and the settings in package.json out of ../protocol/schema/*.json.
// With --check nothing is written, and the exit code is 1 where one of the two has drifted.
import { readFileSync, writeFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const root = fileURLToPath(new URL("..", import.meta.url));
const typesFile = `${root}/src/protocol.gen.ts`;
const manifestFile = `${root}/package.json`;
const [commands, events, requests, settings] = ["commands", "events", "requests", "settings"].map((name) =>
  JSON.parse(readFileSync(`${root}/../protocol/schema/${name}.json`, "utf8")),
);

/** The definitions of several schemas as one; the same name must mean the same. */
function merged(...schemas) {
  const all = {};
  for (const { $defs = {} } of schemas) {
    for (const [name, definition] of Object.entries($defs)) {
      if (name in all && !isDeepStrictEqual(all[name], definition)) throw new Error(`two shapes are called ${name}`);
      all[name] = definition;
    }
  }
  return all;
}

function without(schema, ...keys) {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

async function types() {
  const all = [commands, events, requests, settings];
  const bare = all.map((schema) => without(schema, "$defs", "$schema", "x-kaaj-protocol"));
  const [KaajCommands, KaajEvent, KaajRequests, KaajSettings] = bare;
  const whole = {
    title: "KaajProtocol",
    description: "Everything that goes over the wire.",
    type: "object",
    properties: {
      commands: { $ref: "#/$defs/KaajCommands" },
      event: { $ref: "#/$defs/KaajEvent" },
      requests: { $ref: "#/$defs/KaajRequests" },
      settings: { $ref: "#/$defs/KaajSettings" },
    },
    required: ["commands", "event", "requests", "settings"],
    additionalProperties: false,
    $defs: { ...merged(...all), KaajCommands, KaajEvent, KaajRequests, KaajSettings },
  };
  const text = await compile(whole, "KaajProtocol", {
    additionalProperties: false,
    bannerComment: "// Generated from protocol/schema by `npm run gen`. Do not edit.",
    ignoreMinAndMaxItems: true,
    style: { printWidth: 120 },
  });
  const names = shown().map(([name]) => `  "${name}",\n`);
  return `${text}
export const PROTOCOL_VERSION = ${commands["x-kaaj-protocol"]};

/** The settings that are the server's and can be set in VS Code. */
export const SERVER_SETTINGS = [\n${names.join("")}] as const;\n`;
}

/** A shape with what it refers to put in its place: VS Code resolves no references in a setting. */
function inlined(schema) {
  if (!("$ref" in schema)) return schema;
  return settings.$defs[schema.$ref.replace("#/$defs/", "")];
}

/** Kept in VS Code's SecretStorage, so it is no setting there; other clients have it as one. */
const SECRET = ["apiKey"];

function shown() {
  return Object.entries(settings.properties).filter(([name]) => !SECRET.includes(name));
}

/**
 * What a person allows holds on every machine: VS Code leaves the user's settings of scope `machine` out in remote
 * windows, and a `plan` or `required` must not be lost there. No workspace can set either kind.
 */
const EVERYWHERE = [
  ...["mode", "sandbox", "network", "hideSecrets", "secretFiles"],
  ...["maxSteps", "maxTokens", "maxSeconds", "guidedSeconds", "guidedItemSeconds"],
];

/** One setting as the settings editor of VS Code wants it: no anyOf, and out of a workspace's reach. */
function contributed(name, schema) {
  const row = without(schema, "anyOf", "format", "writeOnly", "title");
  if (schema.anyOf) {
    const branches = schema.anyOf.map(inlined);
    for (const branch of branches) Object.assign(row, without(branch, "type", "title", "description"));
    row.type = branches.map((branch) => branch.type);
    if (!("default" in row)) row.default = null;
  }
  for (const [key, value] of Object.entries(row.patternProperties ?? {})) {
    row.patternProperties = { ...row.patternProperties, [key]: without(inlined(value), "title") };
  }
  return { ...row, scope: EVERYWHERE.includes(name) ? "application" : "machine" };
}

function manifest(before) {
  const whole = JSON.parse(before);
  const own = {
    "kaaj.path": {
      type: "string",
      default: "",
      description:
        "The kaaj command to start, as a full path. Empty: the one in the Python extension's environment, on your PATH, or where pipx, uv and this extension install it.",
      scope: "machine",
    },
    "kaaj.trace.server": {
      type: "string",
      enum: ["off", "messages", "verbose"],
      default: "off",
      description:
        "How much of the messages between VS Code and Kaaj is written to the output channel Kaaj. It is written at the channel's log level Trace only.",
      scope: "machine",
    },
    "kaaj.notifications": {
      type: "boolean",
      default: false,
      description: "Show a message when a task ends or has a change for you while the window is not focused.",
      scope: "application",
    },
    "kaaj.speech": {
      type: "string",
      enum: ["off", "sound", "speech"],
      default: "off",
      description: "Tells how the to-do list gets on while the chat is open.",
      enumDescriptions: ["Nothing is heard.", "A short tone.", "A few words, spoken: “item two done”."],
      scope: "application",
    },
  };
  const rows = shown().map(([name, schema]) => [`kaaj.${name}`, contributed(name, schema)]);
  whole.contributes.configuration.properties = { ...own, ...Object.fromEntries(rows) };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

const wanted = [
  [typesFile, await types()],
  [manifestFile, manifest(read(manifestFile))],
];
for (const [file, text] of wanted) {
  if (read(file) === text) continue;
  if (process.argv.includes("--check")) {
    process.stderr.write(`${file} does not match protocol/schema: run \`npm run gen\` in client-vscode\n`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
  }
}
