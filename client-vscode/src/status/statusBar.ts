// The status bar: whether the server runs, how far the tasks are, what waits for the person.
import { StatusBarAlignment, ThemeColor, window } from "vscode";
import type { Kaaj, Owned } from "../kaaj";
import { progressOf } from "../state/projection";
import { statusText } from "./statusText";

export function registerStatusBar(kaaj: Kaaj): Owned[] {
  const item = window.createStatusBarItem("kaaj.status", StatusBarAlignment.Left);
  item.name = "Kaaj";
  const draw = (): void => {
    const { text, tooltip, alert } = statusText(kaaj.serverState, progressOf(kaaj.store.state));
    item.text = text;
    item.tooltip = tooltip;
    item.command = kaaj.serverState === "stopped" ? "kaaj.ui.restart" : "kaaj.tasks.focus";
    item.backgroundColor = alert ? new ThemeColor("statusBarItem.warningBackground") : undefined;
    item.show();
  };
  draw();
  return [item, kaaj.store.onChange(draw), kaaj.onServerState(draw)];
}
