// Which commands install or update Kaaj on this machine, and how they are shown.
import * as path from "node:path";
import { onPath, ownEnvironment, scriptsOf, type Found, type Surroundings } from "../server/findServer";

/** A program with its arguments; no shell reads it. */
export type Command = readonly [program: string, ...args: string[]];

export interface Plan {
  /** What does it, for a person. */
  readonly by: string;
  /** Run in this order; the next one only if the one before ended well. */
  readonly commands: readonly Command[];
}

export interface Tools {
  readonly pipx?: string | undefined;
  readonly uv?: string | undefined;
  /** A Python from 3.11 on. */
  readonly python?: string | undefined;
}

const PACKAGE = "kaaj[local]";

export function toolsOnPath(around: Surroundings, exists: (file: string) => boolean): Omit<Tools, "python"> {
  return { pipx: onPath("pipx", around, exists), uv: onPath("uv", around, exists) };
}

/** Interpreters worth asking for their version, the likeliest first. */
export function pythonCandidates(around: Surroundings, exists: (file: string) => boolean): string[] {
  const names = ["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"];
  const found = [...names.map((name) => onPath(name, around, exists)), around.python];
  return [...new Set(found.filter((file) => file !== undefined))];
}

/** pipx if it is there, else uv, else a virtual environment in the extension's own folder. */
export function installPlan({ pipx, uv, python }: Tools, storage: string, platform: NodeJS.Platform): Plan | undefined {
  if (pipx) {
    // pipx may run on an older Python than Kaaj needs.
    const interpreter = python ? ["--python", python] : [];
    return { by: "pipx", commands: [[pipx, "install", ...interpreter, PACKAGE]] };
  }
  if (uv) return { by: "uv", commands: [[uv, "tool", "install", PACKAGE]] };
  if (python) {
    const folder = ownEnvironment(storage, platform);
    return { by: "pip, in a folder of this extension", commands: [[python, "-m", "venv", folder], pip(folder, platform)] };
  }
  return undefined;
}

function pip(environment: string, platform: NodeJS.Platform): Command {
  const os = platform === "win32" ? path.win32 : path.posix;
  const python = os.join(scriptsOf(environment, platform), platform === "win32" ? "python.exe" : "python");
  return [python, "-m", "pip", "install", "--upgrade", PACKAGE];
}

/** How the Kaaj that was found is brought up to date; undefined where it is not known who installed it. */
export function updatePlan(
  found: Found,
  target: string,
  { pipx, uv }: Tools,
  around: Surroundings,
): Plan | undefined {
  const { storage, platform } = around;
  const os = platform === "win32" ? path.win32 : path.posix;
  const parts = target.split(os.sep);
  if (found.origin === "own") {
    return { by: "pip, in a folder of this extension", commands: [pip(ownEnvironment(storage, platform), platform)] };
  }
  if (pipx && parts.includes("pipx")) return { by: "pipx", commands: [[pipx, "upgrade", "kaaj"]] };
  if (uv && parts.includes("uv")) return { by: "uv", commands: [[uv, "tool", "upgrade", "kaaj"]] };
  if (found.origin === "python" && around.python) {
    return { by: "pip", commands: [[around.python, "-m", "pip", "install", "--upgrade", PACKAGE]] };
  }
  return undefined;
}

/** The command as one would type it. */
export function shown(command: Command, platform: NodeJS.Platform): string {
  return command.map((part) => quoted(part, platform)).join(" ");
}

function quoted(part: string, platform: NodeJS.Platform): string {
  if (/^[\w@%+=:,./\\-]+$/.test(part)) return part;
  return platform === "win32" ? `"${part.replaceAll('"', '""')}"` : `'${part.replaceAll("'", "'\\''")}'`;
}
