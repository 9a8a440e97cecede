// Which program to start.
import { statSync } from "node:fs";
import * as path from "node:path";

export type Found = { readonly command: string } | { readonly problem: string };

export function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The setting `kaaj.path` if there is one, else `kaaj` on the PATH. The workspace is never looked into. */
export function findServer(
  configured: string,
  pathVariable: string,
  platform: NodeJS.Platform,
  exists: (file: string) => boolean,
): Found {
  const os = platform === "win32" ? path.win32 : path.posix;
  const wanted = configured.trim();
  if (wanted) {
    if (!os.isAbsolute(wanted)) return { problem: `The setting kaaj.path must be a full path; it is "${wanted}".` };
    if (!exists(wanted)) return { problem: `The setting kaaj.path names "${wanted}", and there is no such file.` };
    return { command: wanted };
  }
  const name = platform === "win32" ? "kaaj.exe" : "kaaj";
  for (const folder of pathVariable.split(os.delimiter)) {
    // A relative entry would mean the workspace's folder.
    if (!os.isAbsolute(folder)) continue;
    const file = os.join(folder, name);
    if (exists(file)) return { command: file };
  }
  return { problem: "There is no kaaj command on your PATH. Install it with: pipx install 'kaaj[local]'" };
}
