// Messages for whoever does not look: off unless the setting `kaaj.notifications` is on.
import { commands, window, workspace } from "vscode";
import type { Kaaj, Owned } from "../kaaj";
import { changesOf } from "../state/projection";
import { messageOf } from "./notifyText";

export function registerNotifications({ store }: Kaaj): Owned[] {
  /** Changes that were told as proposed, so that another hunk taken out of one is no news. */
  const told = new Set<string>();
  return [
    store.onEvent((event) => {
      const message = messageOf(event, [...changesOf(store.state)].reverse());
      if (!message) return;
      if (event.type === "change") {
        if (told.has(event.change.id)) return;
        told.add(event.change.id);
      }
      if (window.state.focused || !workspace.getConfiguration("kaaj").get<boolean>("notifications", false)) return;
      void show(message.text, message.change);
    }),
  ];
}

async function show(text: string, change: string | undefined): Promise<void> {
  const button = "Show change";
  const answer = await window.showInformationMessage(text, ...(change === undefined ? [] : [button]));
  if (answer === button) await commands.executeCommand("kaaj.ui.showChange", { change });
}
