// Programs that are run for the person to see: each in a terminal of its own, as a task.
import { ProcessExecution, ProgressLocation, Task, TaskPanelKind, TaskRevealKind, TaskScope, tasks, window, type TaskExecution } from "vscode";
import type { Command } from "./plan";

/** How long after the end of a task its exit code may come. */
const NO_CODE_MS = 500;

export type Ended = { readonly kind: "done" } | { readonly kind: "failed"; readonly code: number | undefined } | { readonly kind: "cancelled" };

/** Run them one after the other; the first one that does not end with 0 is the last. Cancelling ends the one that runs. */
export async function runCommands(title: string, commands: readonly Command[], cwd: string): Promise<Ended> {
  return window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, async (_, token) => {
    for (const command of commands) {
      const code = await runOne(title, command, cwd, (terminate) => token.onCancellationRequested(terminate));
      if (token.isCancellationRequested) return { kind: "cancelled" };
      if (code !== 0) return { kind: "failed", code };
    }
    return { kind: "done" };
  });
}

function runOne(
  title: string,
  [program, ...args]: Command,
  cwd: string,
  onCancel: (terminate: () => void) => { dispose(): void },
): Promise<number | undefined> {
  const execution = new ProcessExecution(program, args, { cwd });
  const task = new Task({ type: "kaaj", title }, TaskScope.Global, title, "Kaaj", execution, []);
  task.presentationOptions = { reveal: TaskRevealKind.Always, focus: false, panel: TaskPanelKind.Dedicated, clear: true };
  let running: TaskExecution | undefined;
  const ends: { readonly execution: TaskExecution; readonly code: number | undefined }[] = [];
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      const end = ends.find(({ execution: ended }) => ended === running);
      if (!end) return;
      for (const one of owned) one.dispose();
      resolve(end.code);
    };
    const owned = [
      onCancel(() => running?.terminate()),
      // Listened to before the start: a program that fails at once has ended by the time that the start is told.
      tasks.onDidEndTaskProcess(({ execution: ended, exitCode }) => {
        ends.push({ execution: ended, code: exitCode });
        settle();
      }),
      // A task whose process could not be started ends without an exit code.
      tasks.onDidEndTask(({ execution: ended }) => {
        setTimeout(() => {
          ends.push({ execution: ended, code: undefined });
          settle();
        }, NO_CODE_MS);
      }),
    ];
    tasks.executeTask(task).then((started) => {
      running = started;
      settle();
    }, reject);
  });
}
