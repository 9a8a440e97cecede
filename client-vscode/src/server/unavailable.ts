// A server that cannot be asked now: what the person who asked is told.
import { Advice, type Remedy } from "../advice";
import type { ServerStatus } from "./serverStatus";

export const SHOW_LOG: Remedy = { title: "Show log", command: "kaaj.ui.showLog" };

/** Why a command cannot be run now, and what to do. */
export function unavailable(status: ServerStatus): Advice {
  switch (status.kind) {
    case "starting":
    case "running":
      return new Advice("Kaaj's server is starting. Try again in a moment.", SHOW_LOG);
    case "hanging":
      return new Advice(status.message, { title: "Restart server", command: "kaaj.ui.restart" });
    case "installing":
      return new Advice("Kaaj's server is being installed. Try again once that is done.", SHOW_LOG);
    case "restarting":
      return new Advice("Kaaj's server ended and is about to be started again. Try again in a moment.", SHOW_LOG);
    case "stopped":
      if (status.why === "missing") {
        return new Advice(status.message, { title: "Install…", command: "kaaj.ui.install" });
      }
      return new Advice(status.message, { title: "Restart server", command: "kaaj.ui.restart" });
  }
}
