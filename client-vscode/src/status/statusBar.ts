// The status bar: whether the server runs, how far the tasks are, what waits for the person.
import { MarkdownString, StatusBarAlignment, ThemeColor, window } from "vscode";
import type { Kaaj, Owned } from "../kaaj";
import { progressOf } from "../state/projection";
import { statusText, type ModelShown, type StatusText } from "./statusText";

const COLOURS = {
  plain: undefined,
  warning: new ThemeColor("statusBarItem.warningBackground"),
  error: new ThemeColor("statusBarItem.errorBackground"),
};

export function registerStatusBar(kaaj: Kaaj): Owned[] {
  const item = window.createStatusBarItem("kaaj.status", StatusBarAlignment.Left);
  item.name = "Kaaj";
  let model: ModelShown | undefined;
  let ticking: NodeJS.Timeout | undefined;
  const draw = (): void => {
    const status = kaaj.serverStatus;
    clearTimeout(ticking);
    if (status.kind === "restarting") ticking = setTimeout(draw, 1_000);
    const shown = statusText(status, progressOf(kaaj.store.state), model, Date.now());
    item.text = shown.text;
    item.tooltip = tooltip(shown);
    item.command = shown.click;
    item.backgroundColor = COLOURS[shown.tone];
    item.accessibilityInformation = { label: shown.label, role: "button" };
    item.show();
  };
  draw();
  return [
    item,
    { dispose: () => { clearTimeout(ticking); } },
    kaaj.store.onChange(draw),
    kaaj.store.onSnapshot((snapshot) => {
      model = snapshot.model;
      draw();
    }),
    kaaj.onServerStatus(draw),
  ];
}

/** What came from elsewhere (a title of a to-do item, a path) is text in it, never Markdown. */
function tooltip({ details, links }: StatusText): MarkdownString {
  const text = new MarkdownString();
  for (const line of details) text.appendText(line).appendMarkdown("\n\n");
  text.appendMarkdown(links.map(({ title, command }) => `[${title}](command:${command})`).join(" · "));
  text.isTrusted = { enabledCommands: links.map(({ command }) => command) };
  return text;
}
