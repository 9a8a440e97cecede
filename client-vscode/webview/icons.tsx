// The editor's own icons, drawn in the page: no font is loaded. Only paths are taken out of the files.
import type { JSX } from "preact";
import add from "@vscode/codicons/src/icons/add.svg";
import arrowDown from "@vscode/codicons/src/icons/arrow-down.svg";
import check from "@vscode/codicons/src/icons/check.svg";
import checklist from "@vscode/codicons/src/icons/checklist.svg";
import chevronDown from "@vscode/codicons/src/icons/chevron-down.svg";
import chevronRight from "@vscode/codicons/src/icons/chevron-right.svg";
import circle from "@vscode/codicons/src/icons/circle-large.svg";
import close from "@vscode/codicons/src/icons/close.svg";
import copy from "@vscode/codicons/src/icons/copy.svg";
import diff from "@vscode/codicons/src/icons/diff-multiple.svg";
import discard from "@vscode/codicons/src/icons/discard.svg";
import edit from "@vscode/codicons/src/icons/edit.svg";
import error from "@vscode/codicons/src/icons/error.svg";
import file from "@vscode/codicons/src/icons/file.svg";
import folder from "@vscode/codicons/src/icons/folder.svg";
import history from "@vscode/codicons/src/icons/history.svg";
import info from "@vscode/codicons/src/icons/info.svg";
import insert from "@vscode/codicons/src/icons/insert.svg";
import loading from "@vscode/codicons/src/icons/loading.svg";
import mention from "@vscode/codicons/src/icons/mention.svg";
import pass from "@vscode/codicons/src/icons/pass.svg";
import play from "@vscode/codicons/src/icons/play.svg";
import question from "@vscode/codicons/src/icons/question.svg";
import refresh from "@vscode/codicons/src/icons/refresh.svg";
import search from "@vscode/codicons/src/icons/search.svg";
import selection from "@vscode/codicons/src/icons/list-selection.svg";
import send from "@vscode/codicons/src/icons/send.svg";
import shield from "@vscode/codicons/src/icons/shield.svg";
import skipped from "@vscode/codicons/src/icons/circle-slash.svg";
import stop from "@vscode/codicons/src/icons/debug-stop.svg";
import symbol from "@vscode/codicons/src/icons/symbol-method.svg";
import terminal from "@vscode/codicons/src/icons/terminal.svg";
import text from "@vscode/codicons/src/icons/file-text.svg";
import tools from "@vscode/codicons/src/icons/tools.svg";
import trash from "@vscode/codicons/src/icons/trash.svg";
import warning from "@vscode/codicons/src/icons/warning.svg";

const FILES = {
  ...{ add, arrowDown, check, checklist, chevronDown, chevronRight, circle, close, copy, diff, discard, edit, error },
  ...{ file, folder, history, info, insert, loading, mention, pass, play, problems: warning, question, refresh, search },
  ...{ selection, send, shield, skipped, stop, symbol, terminal, text, tools, trash, warning },
};
export type IconName = keyof typeof FILES;

const PATHS = Object.fromEntries(
  Object.entries(FILES).map(([name, source]) => [name, [...source.matchAll(/ d="([^"]+)"/g)].map((match) => match[1] ?? "")]),
) as Record<IconName, string[]>;

/** Decoration: what it means is said by the text or the label beside it. */
export function Icon({ name, spin = false }: { name: IconName; spin?: boolean }): JSX.Element {
  return (
    <svg class={spin ? "icon spin" : "icon"} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {PATHS[name].map((path) => (
        <path key={path} d={path} fill-rule="evenodd" />
      ))}
    </svg>
  );
}

/** The same for what is drawn without Preact. */
export function iconElement(name: IconName): SVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  for (const d of PATHS[name]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    path.setAttribute("fill-rule", "evenodd");
    svg.append(path);
  }
  return svg;
}
