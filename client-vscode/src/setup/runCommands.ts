// Programs that are run for the person to see: in a terminal that shows what they print, with a progress message.
import { EventEmitter, ProgressLocation, window, workspace, type Pseudoterminal } from "vscode";
import type { Command } from "./plan";
import { Run, type Ended } from "./run";

const INTERRUPT = "\u0003"; // Ctrl+C

/** Run them one after the other; the first one that does not end with 0 is the last. Cancelling ends the one that runs. */
export async function runCommands(title: string, commands: readonly Command[], cwd: string): Promise<Ended> {
  const run = workspace.isTrusted ? inTerminal(title, commands, cwd) : inChannel(title, commands, cwd);
  return window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, async (_, token) => {
    token.onCancellationRequested(() => {
      run.cancel();
    });
    return run.ended;
  });
}

function inTerminal(title: string, commands: readonly Command[], cwd: string): Run {
  const writer = new EventEmitter<string>();
  const closer = new EventEmitter<undefined>();
  const run = new Run(commands, cwd, (text) => {
    writer.fire(text.replaceAll(/\r?\n/g, "\r\n"));
  });
  const pty: Pseudoterminal = {
    onDidWrite: writer.event,
    onDidClose: closer.event,
    open: (dimensions) => {
      void run.all({ COLUMNS: String(dimensions?.columns ?? 80), FORCE_COLOR: "1", TERM: "xterm-256color" });
    },
    close: () => {
      run.cancel();
    },
    handleInput: (data) => {
      if (run.over) closer.fire(undefined);
      else if (data === INTERRUPT) run.cancel();
    },
  };
  window.createTerminal({ name: title, pty, isTransient: true }).show(true);
  return run;
}

/** In a folder that is not trusted VS Code would ask for trust in it before a terminal, which has nothing to do with it. */
function inChannel(title: string, commands: readonly Command[], cwd: string): Run {
  const channel = window.createOutputChannel(title);
  channel.show(true);
  const run = new Run(commands, cwd, (text) => {
    channel.append(text);
  });
  void run.all({ NO_COLOR: "1" });
  return run;
}
