// The key for the endpoint: in VS Code's SecretStorage, handed to nobody but the server.
import { commands, ConfigurationTarget, window, workspace, type ExtensionContext } from "vscode";
import { register, type Owned } from "../kaaj";

const SECRET = "kaaj.apiKey";

export class ApiKey {
  constructor(private readonly context: Pick<ExtensionContext, "secrets">) {}

  /** The key that was stored, else one that stands in the person's settings from before. */
  async get(): Promise<string | undefined> {
    return (await this.context.secrets.get(SECRET)) ?? inSettings();
  }

  /** It changed, in this window or in another one. */
  onChange(action: () => void): Owned {
    return this.context.secrets.onDidChange(({ key }) => {
      if (key === SECRET) action();
    });
  }

  /** The command: type a new one, or delete the one that is there. */
  async edit(): Promise<void> {
    const { secrets } = this.context;
    if ((await secrets.get(SECRET)) !== undefined) {
      const replace = { label: "Replace the stored API key" };
      const remove = { label: "Delete the stored API key" };
      const choice = await window.showQuickPick([replace, remove], { title: "Kaaj: API key" });
      if (choice === undefined) return;
      if (choice === remove) {
        await secrets.delete(SECRET);
        void window.showInformationMessage("Kaaj: the API key was deleted.");
        return;
      }
    }
    const key = await window.showInputBox({
      title: "Kaaj: API key",
      prompt: "The key for the endpoint in kaaj.baseUrl. It is kept in VS Code's secret storage, never in settings.",
      password: true,
      ignoreFocusOut: true,
      validateInput: (text) => (/\s/.test(text.trim()) ? "A key has no spaces or line breaks in it." : undefined),
    });
    const trimmed = key?.trim();
    if (!trimmed) return;
    await secrets.store(SECRET, trimmed);
    void window.showInformationMessage("Kaaj: the API key is stored.");
  }

  /** Offer to take a key out of settings.json, where an earlier version had it in plain text. */
  async offerToMove(): Promise<void> {
    const found = inSettings();
    if (found === undefined) return;
    const move = "Move it";
    const text = "Kaaj: your API key stands in settings.json in plain text. Move it to VS Code's secret storage?";
    if ((await window.showWarningMessage(text, move)) !== move) return;
    await this.context.secrets.store(SECRET, found);
    // In a remote window it may stand in two files, the machine's and the person's, and each goes by one.
    for (let files = 2; files > 0 && inSettings() !== undefined; files -= 1) {
      await workspace.getConfiguration("kaaj").update("apiKey", undefined, ConfigurationTarget.Global);
    }
    if (inSettings() !== undefined) {
      const open = "Open settings.json";
      const left =
        "Kaaj: your API key is in the secret storage now. It still stands in your own settings.json, which cannot be changed from here: delete its line kaaj.apiKey.";
      if ((await window.showWarningMessage(left, open)) === open) await commands.executeCommand("workbench.action.openSettingsJson");
      return;
    }
    void window.showInformationMessage("Kaaj: the API key is in the secret storage now and no longer in settings.json.");
  }
}

/** Of the person's own settings only: a workspace must not choose whose account is used. */
function inSettings(): string | undefined {
  const found: unknown = workspace.getConfiguration("kaaj").inspect("apiKey")?.globalValue;
  return typeof found === "string" && found !== "" ? found : undefined;
}

export function registerApiKey(key: ApiKey, changed: () => void): Owned[] {
  return [key.onChange(changed), register("kaaj.ui.setApiKey", () => key.edit())];
}
