// What the status bar says, without VS Code in it.
import type { ServerStatus } from "../server/serverStatus";
import type { Progress } from "../state/projection";

export interface Link {
  readonly title: string;
  readonly command: string;
}

export interface StatusText {
  /** With icons, as `$(name)`. */
  readonly text: string;
  /** For a screen reader: no icons, and what a click does. */
  readonly label: string;
  readonly details: readonly string[];
  readonly links: readonly Link[];
  /** The command of a click. */
  readonly click: string;
  readonly tone: "plain" | "warning" | "error";
}

const LOG: Link = { title: "Show log", command: "kaaj.ui.showLog" };
const RESTART: Link = { title: "Restart server", command: "kaaj.ui.restart" };
const INSTALL: Link = { title: "Install…", command: "kaaj.ui.install" };
const MENU = "kaaj.ui.serverMenu";
const VIEW = "workbench.view.extension.kaaj";

export interface ModelShown {
  readonly name: string;
  readonly embedded: boolean;
}

/** `now` in milliseconds since the epoch. */
export function statusText(server: ServerStatus, progress: Progress, model: ModelShown | undefined, now: number): StatusText {
  switch (server.kind) {
    case "starting":
      return said("$(loading~spin) Kaaj: starting", "Kaaj is starting", ["Kaaj's server is starting."], [LOG], MENU);
    case "installing": {
      const details = ["Kaaj's server is being installed; a terminal shows how far it is."];
      return said("$(loading~spin) Kaaj: installing", "Kaaj's server is being installed", details, [], "workbench.action.terminal.focus");
    }
    case "restarting": {
      const seconds = Math.max(1, Math.ceil((server.at - now) / 1_000));
      const text = `$(debug-restart) Kaaj: restarting in ${seconds} s`;
      return { ...said(text, "Kaaj's server ended and is started again", [server.why], [RESTART, LOG], MENU), tone: "warning" };
    }
    case "hanging": {
      const label = "Kaaj's server does not answer. What to do";
      return { ...said("$(warning) Kaaj: no answer", label, [server.message], [RESTART, LOG], MENU), tone: "warning" };
    }
    case "stopped":
      return stopped(server);
    case "running":
      return running(server, progress, model);
  }
}

function said(text: string, label: string, details: readonly string[], links: readonly Link[], click: string): StatusText {
  return { text, label, details, links, click, tone: "plain" };
}

function stopped(server: Extract<ServerStatus, { kind: "stopped" }>): StatusText {
  const { why, message, update } = server;
  const all = [RESTART, LOG];
  switch (why) {
    case "missing":
      return { ...said("$(cloud-download) Kaaj: not installed", "Kaaj's server is not installed. Install it", [message], [INSTALL, LOG], INSTALL.command), tone: "warning" };
    case "version": {
      const what = update === "extension" ? "extension" : "server";
      const click = update === "extension" ? "kaaj.ui.updateExtension" : "kaaj.ui.update";
      const link = { title: `Update ${what}…`, command: click };
      return { ...said(`$(error) Kaaj: update the ${what}`, `Kaaj does not run: its ${what} is too old. Update it`, [message], [link, ...all], click), tone: "error" };
    }
    case "asked":
      return said("$(debug-pause) Kaaj: stopped", "Kaaj's server is stopped. What to do", [message], all, MENU);
    case "broken":
    case "died":
      return { ...said("$(error) Kaaj: stopped", `Kaaj does not run. ${message} What to do`, [message], all, MENU), tone: "error" };
  }
}

function running(server: Extract<ServerStatus, { kind: "running" }>, progress: Progress, model: ModelShown | undefined): StatusText {
  const about = [
    ...(server.trouble ? [server.trouble] : []),
    ...(server.restricted ? ["This folder is not trusted: Kaaj plans, and neither runs nor applies anything."] : []),
    ...(model ? [`Model: ${model.name}${model.embedded ? " (on this machine)" : ""}`] : []),
    `Server: ${server.command}`,
  ];
  const links = [...(server.restricted ? [{ title: "Manage trust", command: "workbench.trust.manage" }] : []), RESTART, LOG];
  if (progress.asked > 0) {
    const what = progress.asked === 1 ? "A question waits" : `${progress.asked} questions wait`;
    const details = [`${what} for your answer.`, ...about];
    return { ...said("$(question) Kaaj asks", `Kaaj asks. ${what} for your answer`, details, links, VIEW), tone: "warning" };
  }
  if (progress.proposed > 0) {
    const what = progress.proposed === 1 ? "1 change" : `${progress.proposed} changes`;
    return said(`$(diff) Kaaj: ${what}`, `Kaaj: ${what} to review`, [`${what} to review.`, ...about], links, VIEW);
  }
  if (progress.running > 0) {
    const count = progress.total > 0 ? `${progress.done}/${progress.total}` : "";
    const step = progress.current ?? "at work";
    const label = count ? `Kaaj is at work, ${progress.done} of ${progress.total} done: ${step}` : `Kaaj is at work: ${step}`;
    return said(`$(sync~spin) Kaaj${count ? ` ${count}` : ""}`, label, [progress.current ?? "Kaaj is at work.", ...about], links, VIEW);
  }
  if (server.trouble !== undefined) {
    return { ...said("$(warning) Kaaj", "Kaaj runs, and not all is well. What to do", about, links, MENU), tone: "warning" };
  }
  if (server.restricted) {
    return said("$(shield) Kaaj: plan only", "Kaaj is restricted: this folder is not trusted", about, links, "workbench.trust.manage");
  }
  return said("$(checklist) Kaaj", "Kaaj is ready. Open its view", ["Kaaj is ready.", ...about], links, VIEW);
}
