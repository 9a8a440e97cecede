// What every feature of the client is given: the state as the server told it, and a way to ask the server.
import { commands, window, type Event } from "vscode";
import { Advice } from "./advice";
import { inert } from "./plainText";
import type { Server } from "./server/server";
import type { ServerState, ServerStatus } from "./server/serverStatus";
import type { Store } from "./state/store";

export interface Kaaj {
  readonly store: Store;
  readonly server: Pick<Server, "run" | "restart">;
  readonly serverState: ServerState;
  readonly onServerState: Event<ServerState>;
  /** The same in full: why it stopped, when it is started again. */
  readonly serverStatus: ServerStatus;
  readonly onServerStatus: Event<ServerStatus>;
}

/** Something to let go of at the end. */
export interface Owned {
  dispose(): unknown;
}

/** The commands that the client registers itself; the server's own begin with `kaaj.` alone. */
export type UiCommand = `kaaj.ui.${string}`;

/** Characters of a message: what the server says may quote file names and the model's words. */
const LONGEST = 1000;

/** Register a command whose failure is shown in the server's words. */
export function register(id: UiCommand, action: (...args: never[]) => unknown): Owned {
  return commands.registerCommand(id, async (...args: never[]) => {
    try {
      return await action(...args);
    } catch (error) {
      void showFailure(error);
      return undefined;
    }
  });
}

/** Say what failed, with a button for what can be done about it where that is known. */
export async function showFailure(error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const text = message.startsWith("Kaaj") ? message : `Kaaj: ${message}`;
  if (!(error instanceof Advice)) {
    void window.showErrorMessage(inert(text, LONGEST));
    return;
  }
  const { title, command, arguments: args = [] } = error.remedy;
  if ((await window.showErrorMessage(text, title)) === title) await commands.executeCommand(command, ...args);
}
