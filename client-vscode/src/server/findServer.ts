// Which program to start. A workspace is never looked into: what lies there could come from anyone.
import { statSync } from "node:fs";
import * as path from "node:path";

/** Where a `kaaj` was found; it decides how it is updated. */
export type Origin = "setting" | "python" | "path" | "usual" | "own";

export interface Found {
  readonly command: string;
  readonly origin: Origin;
}

export interface NotFound {
  /** Says what is wrong, and what to do. */
  readonly problem: string;
  /** Whether installing Kaaj would help; not where a setting is wrong. */
  readonly missing: boolean;
}

export interface Surroundings {
  /** The setting `kaaj.path`, may be empty. */
  readonly configured: string;
  /** The interpreter of the Python extension's environment. */
  readonly python?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** The extension's own folder, where it installs Kaaj if nothing else is there. */
  readonly storage: string;
  /** The workspace's folders, as paths. */
  readonly workspace: readonly string[];
  readonly platform: NodeJS.Platform;
}

export function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** `bin` of a virtual environment. */
export function scriptsOf(environment: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? path.win32.join(environment, "Scripts") : path.posix.join(environment, "bin");
}

/** The extension's own environment. */
export function ownEnvironment(storage: string, platform: NodeJS.Platform): string {
  return (platform === "win32" ? path.win32 : path.posix).join(storage, "server");
}

function inside(file: string, folders: readonly string[], platform: NodeJS.Platform): boolean {
  const os = platform === "win32" ? path.win32 : path.posix;
  return folders.some((folder) => {
    const way = os.relative(folder, file);
    return way === "" || (!os.isAbsolute(way) && way.split(os.sep)[0] !== "..");
  });
}

/** The absolute folders of the PATH that lie outside of the workspace. */
export function pathFolders({ env, workspace, platform }: Surroundings): string[] {
  const os = platform === "win32" ? path.win32 : path.posix;
  const variable = env.PATH ?? env.Path ?? "";
  // A relative entry would mean whatever folder the editor was started in.
  return variable.split(os.delimiter).filter((folder) => os.isAbsolute(folder) && !inside(folder, workspace, platform));
}

/** A program on the PATH, outside of the workspace. */
export function onPath(name: string, around: Surroundings, exists: (file: string) => boolean): string | undefined {
  const os = around.platform === "win32" ? path.win32 : path.posix;
  const file = around.platform === "win32" ? `${name}.exe` : name;
  return pathFolders(around)
    .map((folder) => os.join(folder, file))
    .find(exists);
}

/** Folders where pip, pipx, uv and Homebrew put commands, for an editor that was not started from a shell. */
function usualFolders({ env, home, platform }: Surroundings): string[] {
  const os = platform === "win32" ? path.win32 : path.posix;
  const data = platform === "win32" ? (env.APPDATA ?? os.join(home, "AppData", "Roaming")) : os.join(home, ".local", "share");
  const pipx = env.PIPX_HOME ?? os.join(home, ".local", "share", "pipx");
  const folders = [
    env.PIPX_BIN_DIR,
    os.join(home, ".local", "bin"),
    scriptsOf(os.join(pipx, "venvs", "kaaj"), platform),
    scriptsOf(os.join(home, ".local", "pipx", "venvs", "kaaj"), platform),
    scriptsOf(os.join(data, "uv", "tools", "kaaj"), platform),
    ...(platform === "win32" ? [scriptsOf(os.join(home, "pipx", "venvs", "kaaj"), platform)] : ["/opt/homebrew/bin", "/usr/local/bin"]),
  ];
  return folders.filter((folder) => folder !== undefined);
}

/**
 * The setting `kaaj.path` if there is one; else beside the Python extension's interpreter, on the PATH, in the usual
 * places, in the extension's own environment.
 */
export function findServer(around: Surroundings, exists: (file: string) => boolean): Found | NotFound {
  const { platform, workspace, storage } = around;
  const os = platform === "win32" ? path.win32 : path.posix;
  const wanted = around.configured.trim();
  if (wanted) {
    if (!os.isAbsolute(wanted)) {
      return { problem: `The setting kaaj.path must be a full path; it is "${wanted}".`, missing: false };
    }
    if (!exists(wanted)) {
      return { problem: `The setting kaaj.path names "${wanted}", and there is no such file.`, missing: false };
    }
    return { command: wanted, origin: "setting" };
  }
  const name = platform === "win32" ? "kaaj.exe" : "kaaj";
  const python = around.python ? [os.dirname(around.python)] : [];
  const places: [Origin, string[]][] = [
    ["python", python],
    ["path", pathFolders(around)],
    ["usual", usualFolders(around)],
    ["own", [scriptsOf(ownEnvironment(storage, platform), platform)]],
  ];
  for (const [origin, folders] of places) {
    for (const folder of folders) {
      const file = os.join(folder, name);
      if (!inside(file, workspace, platform) && exists(file)) return { command: file, origin };
    }
  }
  const passedOver = python.map((folder) => os.join(folder, name)).find(exists);
  if (passedOver) {
    const problem = `There is a kaaj in this workspace (${passedOver}), and programs of a workspace are not started by themselves. Install Kaaj for yourself, or set kaaj.path to it if it is yours.`;
    return { problem, missing: true };
  }
  return { problem: "Kaaj's server, the command kaaj, was not found on this machine.", missing: true };
}
