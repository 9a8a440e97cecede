// What the status bar says, without VS Code in it.
import type { ServerState } from "../server/server";
import type { Progress } from "../state/projection";

export interface StatusText {
  readonly text: string;
  readonly tooltip: string;
  readonly alert: boolean;
}

export function statusText(server: ServerState, progress: Progress): StatusText {
  if (server === "starting") return { text: "$(loading~spin) Kaaj", tooltip: "Kaaj is starting", alert: false };
  if (server === "stopped") {
    return { text: "$(error) Kaaj", tooltip: "Kaaj's server does not run. Click to start it again.", alert: true };
  }
  if (progress.asked > 0) {
    return { text: "$(question) Kaaj asks", tooltip: "A question waits for your answer.", alert: true };
  }
  if (progress.proposed > 0) {
    const what = progress.proposed === 1 ? "1 change" : `${progress.proposed} changes`;
    return { text: `$(diff) Kaaj: ${what}`, tooltip: `${what} to review`, alert: false };
  }
  if (progress.running > 0) {
    const count = progress.total > 0 ? ` ${progress.done}/${progress.total}` : "";
    return { text: `$(sync~spin) Kaaj${count}`, tooltip: progress.current ?? "Kaaj is at work", alert: false };
  }
  return { text: "$(checklist) Kaaj", tooltip: "Kaaj is ready", alert: false };
}
