// Programs that are run for the person to see: in a terminal that shows what they print, with a progress message.
import { spawn, type ChildProcess } from "node:child_process";
import { EventEmitter, ProgressLocation, window, workspace, type Pseudoterminal } from "vscode";
import { shown, type Command } from "./plan";

export type Ended =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly code: number | null }
  | { readonly kind: "cancelled" };

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
      void run.all({ COLUMNS: String(dimensions?.columns ?? 80), FORCE_COLOR: "1" });
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

/** Programs of which each one is started once the one before has ended well; `say` gets all that they print. */
class Run {
  readonly ended: Promise<Ended>;
  /** They have ended. */
  over = false;
  private settle: (ended: Ended) => void = () => undefined;
  private running: ChildProcess | undefined;
  private cancelled = false;

  constructor(
    private readonly commands: readonly Command[],
    private readonly cwd: string,
    private readonly say: (text: string) => void,
  ) {
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  cancel(): void {
    if (this.over) return;
    this.cancelled = true;
    if (this.running) endTree(this.running);
  }

  /** Never rejects; `ended` tells how it went. `env` is put over this process's. */
  async all(env: Readonly<Record<string, string>>): Promise<void> {
    let code: number | null = 0;
    for (const command of this.commands) {
      this.say(`> ${shown(command, process.platform)}\n`);
      code = await this.one(command, env);
      if (code !== 0 || this.cancelled) break;
    }
    const ended: Ended = this.cancelled ? { kind: "cancelled" } : code === 0 ? { kind: "done" } : { kind: "failed", code };
    this.over = true;
    this.say(`\n${wordsFor(ended)}\n`);
    this.settle(ended);
  }

  private one([program, ...args]: Command, env: Readonly<Record<string, string>>): Promise<number | null> {
    return new Promise((resolve) => {
      const child = spawn(program, args, {
        cwd: this.cwd,
        // A group of its own, so that a cancel reaches what it starts.
        detached: process.platform !== "win32",
        env: { ...process.env, PYTHONUNBUFFERED: "1", ...env },
        stdio: ["ignore", "pipe", "pipe"],
        windowsHide: true,
      });
      this.running = child;
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          this.say(text);
        });
      }
      child.once("error", (error) => {
        this.say(`${error.message}\n`);
        resolve(null);
      });
      child.once("close", (code) => {
        resolve(code);
      });
    });
  }
}

function wordsFor(ended: Ended): string {
  switch (ended.kind) {
    case "done":
      return "Done.";
    case "cancelled":
      return "Cancelled.";
    case "failed":
      return ended.code === null ? "It failed." : `It failed with exit code ${ended.code}.`;
  }
}

function endTree(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") {
    spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { windowsHide: true }).on("error", () => child.kill());
    return;
  }
  try {
    process.kill(-child.pid, "SIGINT");
  } catch {
    child.kill(); // the group is gone already
  }
}
