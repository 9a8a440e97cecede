// A server that does not run is told once, with what can be done; the status bar goes on saying it.
import { commands, window, type LogOutputChannel } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { firstLine, inert } from "../plainText";
import { workingOf } from "../state/projection";
import type { ServerStatus, StopReason } from "../server/serverStatus";

interface Choice {
  readonly title: string;
  readonly command: string;
}

const LOG: Choice = { title: "Show log", command: "kaaj.ui.showLog" };
const RESTART: Choice = { title: "Restart server", command: "kaaj.ui.restart" };
const PATH: Choice = { title: "Choose its path…", command: "kaaj.ui.choosePath" };
const INSTALL: Choice = { title: "Install…", command: "kaaj.ui.install" };

function remedies({ why, update }: StopReason): Choice[] {
  switch (why) {
    case "missing":
      return [INSTALL, PATH];
    case "version":
      return update === "extension"
        ? [{ title: "Update extension", command: "kaaj.ui.updateExtension" }]
        : [{ title: "Update server…", command: "kaaj.ui.update" }, PATH];
    case "broken":
      return [RESTART, LOG, PATH];
    case "died":
      return [RESTART, LOG];
    case "asked":
      return [RESTART];
  }
}

function sayingOf(status: ServerStatus): string {
  switch (status.kind) {
    case "stopped":
    case "hanging":
      return status.message;
    case "restarting":
      return status.why;
    case "running":
      return status.trouble ?? "The server is running.";
    case "starting":
    case "installing":
      return `The server is ${status.kind}.`;
  }
}

/** Tasks that were at work when the server died are told once it is back: the new one has them as interrupted. */
function registerInterruptions({ store, onServerStatus }: Kaaj): Owned {
  let cut: readonly string[] = [];
  return onServerStatus(async ({ kind }) => {
    if (kind === "restarting") {
      const working = workingOf(store.state);
      if (working.length > 0) cut = working.map(({ prompt }) => inert(firstLine(prompt, 60)));
    }
    if (kind !== "running" || cut.length === 0) return;
    const what = cut.length === 1 ? `The task “${cut[0] ?? ""}” was` : `${cut.length} tasks were`;
    cut = [];
    const show = "Show";
    const text = `Kaaj's server ended and runs again. ${what} interrupted; what had been done is kept.`;
    if ((await window.showWarningMessage(text, show)) === show) await commands.executeCommand("workbench.view.extension.kaaj");
  });
}

export function registerServerNotices(kaaj: Kaaj, log: LogOutputChannel, extension: string): Owned[] {
  let told = "";
  const tell = async (): Promise<void> => {
    const status = kaaj.serverStatus;
    if (status.kind === "running") told = "";
    if (status.kind === "running" && status.trouble !== undefined) {
      const answer = await window.showWarningMessage(status.trouble, RESTART, LOG);
      if (answer) await commands.executeCommand(answer.command);
      return;
    }
    if (status.kind === "hanging") {
      const answer = await window.showWarningMessage(status.message, RESTART, LOG);
      // It may have come back while the message stood there.
      if (answer && (answer !== RESTART || kaaj.serverStatus.kind === "hanging")) await commands.executeCommand(answer.command);
      return;
    }
    if (status.kind !== "stopped" || status.why === "asked" || status.message === told) return;
    told = status.message;
    const choices = remedies(status);
    const show = status.why === "missing" ? window.showWarningMessage : window.showErrorMessage;
    const answer = await show(status.message, ...choices);
    if (answer) await commands.executeCommand(answer.command);
  };
  const menu = async (): Promise<void> => {
    const status = kaaj.serverStatus;
    const say = sayingOf(status);
    const own = status.kind === "stopped" ? remedies(status) : [];
    const rows = [
      ...own,
      RESTART,
      LOG,
      { title: "Settings of Kaaj", command: "kaaj.ui.settings" },
      { title: "Set API key…", command: "kaaj.ui.setApiKey" },
      { title: "Get started", command: "kaaj.ui.walkthrough" },
    ];
    const items = rows
      .filter(({ command }, at) => rows.findIndex((row) => row.command === command) === at)
      .map((row) => ({ label: row.title, command: row.command }));
    const choice = await window.showQuickPick(items, { title: "Kaaj", placeHolder: say });
    if (choice) await commands.executeCommand(choice.command);
  };
  return [
    kaaj.onServerStatus(() => void tell()),
    registerInterruptions(kaaj),
    register("kaaj.ui.serverMenu", menu),
    register("kaaj.ui.showLog", () => {
      log.show(true);
    }),
    register("kaaj.ui.settings", () => commands.executeCommand("workbench.action.openSettings", `@ext:${extension}`)),
    register("kaaj.ui.updateExtension", () => commands.executeCommand("workbench.extensions.search", `@id:${extension}`)),
  ];
}
