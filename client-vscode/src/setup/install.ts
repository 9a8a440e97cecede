// Kaaj's server, installed or updated with one click: the commands are shown before, and run in a terminal.
import { execFile } from "node:child_process";
import { realpath } from "node:fs/promises";
import { promisify } from "node:util";
import { commands, env, Uri, window, type LogOutputChannel } from "vscode";
import { Advice } from "../advice";
import { register, type Owned } from "../kaaj";
import { isFile, type Surroundings } from "../server/findServer";
import type { Locator } from "../server/locate";
import type { Server } from "../server/server";
import { installPlan, pythonCandidates, shown, toolsOnPath, updatePlan, type Plan, type Tools } from "./plan";
import { runCommands } from "./runCommands";

const run = promisify(execFile);
const VERSION_MS = 5_000;
const HELP = "https://www.python.org/downloads/";

export class Installer {
  constructor(
    private readonly locator: Locator,
    private readonly server: Server,
    private readonly log: LogOutputChannel,
  ) {}

  /** Nothing is installed where a kaaj is there already: it is started. */
  async install(): Promise<void> {
    const around = await this.locator.surroundings();
    const found = await this.locator.find();
    if ("command" in found) {
      void window.showInformationMessage(`Kaaj's server is there already: ${found.command}`);
      if (this.server.status.kind !== "running") await this.server.start();
      return;
    }
    if (!found.missing) {
      throw new Advice(found.problem, { title: "Open settings", command: "workbench.action.openSettings", arguments: ["kaaj.path"] });
    }
    const plan = installPlan(await this.tools(around), around.storage, around.platform);
    if (!plan) {
      const text = "Kaaj needs Python 3.11 or newer, and none was found on the PATH. Install one, then try again.";
      throw new Advice(text, { title: "Get Python", command: "vscode.open", arguments: [Uri.parse(HELP)] });
    }
    const detail = "Kaaj's server is a Python program. [local] brings the engine for models that run on this machine.";
    await this.carryOut("Install Kaaj's server?", "Install", detail, plan, around);
  }

  async update(): Promise<void> {
    const around = await this.locator.surroundings();
    const found = await this.locator.find();
    if ("problem" in found) return this.install();
    const target = await realpath(found.command);
    const plan = updatePlan(found, target, await this.tools(around), around);
    if (!plan) {
      throw new Advice(`Update the program ${found.command} in the way it was installed, then restart the server.`, {
        title: "Restart server",
        command: "kaaj.ui.restart",
      });
    }
    await this.carryOut("Update Kaaj's server?", "Update", `It stands in ${target}.`, plan, around);
  }

  private async carryOut(question: string, verb: string, why: string, plan: Plan, around: Surroundings): Promise<void> {
    const lines = plan.commands.map((command) => shown(command, around.platform));
    const detail = `${why}\n\nBy ${plan.by}, for you to watch:\n\n${lines.join("\n")}`;
    const copy = "Copy command";
    const answer = await window.showInformationMessage(question, { modal: true, detail }, verb, copy);
    if (answer === copy) await env.clipboard.writeText(lines.join("\n"));
    if (answer !== verb) return;
    const title = `Kaaj: ${verb.toLowerCase()} server`;
    const ended = await this.server.installing(() => runCommands(title, plan.commands, around.home));
    this.log.info(`${title}: ${ended.kind}`);
    if (ended.kind === "failed") {
      throw new Advice(`The command failed; “${title}” in the panel says why.`, {
        title: "Try again",
        command: verb === "Install" ? "kaaj.ui.install" : "kaaj.ui.update",
      });
    }
  }

  private async tools(around: Surroundings): Promise<Tools> {
    const { pipx, uv } = toolsOnPath(around, isFile);
    return { pipx, uv, python: await newEnough(pythonCandidates(around, isFile), around.home) };
  }
}

/** The first that is a Python from 3.11 on, and can make virtual environments. */
async function newEnough(candidates: readonly string[], cwd: string): Promise<string | undefined> {
  const question = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))";
  for (const python of candidates) {
    try {
      await run(python, ["-I", "-c", question], { timeout: VERSION_MS, cwd, windowsHide: true });
      return python;
    } catch {
      continue; // too old, or none that works
    }
  }
  return undefined;
}

export function registerInstall(installer: Installer, server: Server): Owned[] {
  return [
    register("kaaj.ui.install", () => installer.install()),
    register("kaaj.ui.update", () => installer.update()),
    register("kaaj.ui.restart", () => server.restart()),
    register("kaaj.ui.stopServer", () => server.stop()),
    register("kaaj.ui.choosePath", () => commands.executeCommand("workbench.action.openSettings", "kaaj.path")),
  ];
}
