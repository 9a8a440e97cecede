// A few programs, one after the other, and how that ended.
import { spawn, type ChildProcess } from "node:child_process";
import { shown, type Command } from "./plan";

export type Ended =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly code: number | null }
  | { readonly kind: "cancelled" };

/** Programs of which each one is started once the one before has ended well; `say` gets all that they print. */
export class Run {
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
      if (this.cancelled) break;
      this.say(`> ${shown(command, process.platform)}\n`);
      code = await this.one(command, env);
      if (code !== 0) break;
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
