// The embedded model, fetched by Kaaj's own command in a terminal with its progress.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { commands, ConfigurationTarget, window, workspace } from "vscode";
import { Advice } from "../advice";
import { register, type Owned } from "../kaaj";
import type { Locator } from "../server/locate";
import { modelsOf, sizeOf, type EmbeddedModel } from "./modelList";
import { runCommands } from "./runCommands";

const run = promisify(execFile);
const LIST_MS = 30_000;

export class Models {
  constructor(private readonly locator: Locator) {}

  /** Let the person pick a model, fetch it if it is not there, and make it the one that Kaaj uses. */
  async pull(): Promise<void> {
    const found = await this.locator.find();
    if ("problem" in found) throw new Advice(found.problem, { title: "Install…", command: "kaaj.ui.install" });
    const { home } = await this.locator.surroundings();
    const { stdout } = await run(found.command, ["model", "list", "--json"], { timeout: LIST_MS, cwd: home, windowsHide: true });
    const model = await this.choose(modelsOf(stdout));
    if (!model) return;
    if (model.path === null) {
      const ended = await runCommands(`Kaaj: download ${model.name}`, [[found.command, "model", "pull", model.name]], home);
      if (ended.kind === "cancelled") {
        void window.showInformationMessage("Kaaj: the download was stopped. What has come is kept; it goes on from there.");
        return;
      }
      if (ended.kind === "failed") {
        throw new Advice("The download failed; the panel says why. What has come is kept.", {
          title: "Try again",
          command: "kaaj.ui.pullModel",
        });
      }
    }
    const configuration = workspace.getConfiguration("kaaj");
    if (configuration.get("embeddedModel") !== model.name) {
      await configuration.update("embeddedModel", model.name, ConfigurationTarget.Global);
    }
    await commands.executeCommand("setContext", "kaaj.modelReady", true);
    const endpoint = configuration.get<string | string[]>("baseUrl", "");
    const used = endpoint.length > 0 ? " It is used once kaaj.baseUrl is empty." : "";
    void window.showInformationMessage(`Kaaj: ${model.name} is on this machine.${used}`);
  }

  private async choose(models: readonly EmbeddedModel[]): Promise<EmbeddedModel | undefined> {
    const items = models.map((model) => ({
      label: model.name,
      description: model.path === null ? `download ${sizeOf(model.bytes)}` : "on this machine",
      detail: model.default ? "The default" : "",
      model,
    }));
    const placeHolder = "Which model should run on this machine?";
    return (await window.showQuickPick(items, { title: "Kaaj: embedded model", placeHolder }))?.model;
  }
}

export function registerModels(models: Models): Owned[] {
  return [
    register("kaaj.ui.pullModel", () => models.pull()),
    register("kaaj.ui.setEndpoint", () => commands.executeCommand("workbench.action.openSettings", "kaaj.baseUrl")),
  ];
}
