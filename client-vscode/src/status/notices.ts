// What the server wants a person to know is shown, whichever view is open.
import { window } from "vscode";
import type { Kaaj, Owned } from "../kaaj";

export function registerNotices({ store }: Kaaj): Owned[] {
  return [
    store.onEvent((event) => {
      if (event.type !== "notice") return;
      if (event.level === "warning") void window.showWarningMessage(`Kaaj: ${event.message}`);
      if (event.level === "error") void window.showErrorMessage(`Kaaj: ${event.message}`);
    }),
  ];
}
