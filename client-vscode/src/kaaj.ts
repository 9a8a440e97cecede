// What every feature of the client is given: the state as the server told it, and a way to ask the server.
import { commands, window, type Event } from "vscode";
import type { KaajCommands } from "./protocol.gen";
import type { Server, ServerState } from "./server/server";
import type { Store } from "./state/store";

export interface Kaaj {
  readonly store: Store;
  readonly server: Pick<Server, "run" | "restart">;
  readonly serverState: ServerState;
  readonly onServerState: Event<ServerState>;
}

/** Something to let go of at the end. */
export interface Owned {
  dispose(): unknown;
}

/** The commands that the client registers itself; the server's own begin with `kaaj.` alone. */
export type UiCommand = `kaaj.ui.${string}`;

/** Register a command whose failure is shown in the server's words. */
export function register(id: UiCommand, action: (...args: never[]) => unknown): Owned {
  return commands.registerCommand(id, async (...args: never[]) => {
    try {
      return await action(...args);
    } catch (error) {
      void window.showErrorMessage(`Kaaj: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  });
}

/** Say what became of a decision: in the status bar where it is what was wanted, else as a warning. */
export function tell(result: KaajCommands["kaaj.accept"]["result"], wanted: typeof result.state): void {
  if (result.state === wanted) window.setStatusBarMessage(`Kaaj: ${result.message}`, 5000);
  else void window.showWarningMessage(`Kaaj: ${result.message}`);
}
