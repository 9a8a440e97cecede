// The operating system's side of the server: one child process, its end, and the last it said.
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { createInterface } from "node:readline";

const KEPT_LINES = 20;
const END_MS = 3_000;
const LAST_WORDS_MS = 300;

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class ServerProcess {
  private readonly lines: string[] = [];
  readonly exited: Promise<Exit>;

  private constructor(
    readonly child: ChildProcessWithoutNullStreams,
    onLine: (line: string) => void,
    private readonly patienceMs: number,
  ) {
    this.exited = new Promise((resolve) => {
      // What it said last is read before its end is told, unless a child of its own keeps the pipes open.
      child.once("exit", (code, signal) => {
        const tell = (): void => {
          resolve({ code, signal });
        };
        child.once("close", tell);
        setTimeout(tell, LAST_WORDS_MS);
      });
    });
    createInterface({ input: child.stderr, crlfDelay: Infinity }).on("line", (line) => {
      this.lines.push(line);
      if (this.lines.length > KEPT_LINES) this.lines.shift();
      onLine(line);
    });
    child.stdin.on("error", () => undefined); // the pipe breaks when the server dies, which `exited` tells
  }

  /**
   * Rejects where the program cannot be started. `folder` is its working directory: none of a workspace. `patienceMs`
   * is what `end` grants it before each sterner step.
   */
  static start(
    command: string,
    args: readonly string[],
    folder: string,
    onLine: (line: string) => void,
    patienceMs = END_MS,
  ): Promise<ServerProcess> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, { cwd: folder, stdio: "pipe", windowsHide: true });
      child.once("error", reject);
      child.once("spawn", () => {
        child.off("error", reject);
        child.on("error", () => undefined); // a signal that could not be sent
        resolve(new ServerProcess(child, onLine, patienceMs));
      });
    });
  }

  /** The last line of its stderr that says something, for the sentence about its end. */
  get lastWords(): string {
    return this.lines.findLast((line) => line.trim() !== "")?.trim().slice(0, 200) ?? "";
  }

  /** See it ended: it may end by itself for a while, then it is told to, then it is killed. */
  async end(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await this.endsWithin(this.patienceMs)) return;
      this.child.kill(signal);
    }
    await this.endsWithin(this.patienceMs);
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  private async endsWithin(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => {
        resolve(false);
      }, milliseconds);
    });
    const ended = await Promise.race([this.exited.then(() => true), late]);
    clearTimeout(timer);
    return ended;
  }
}

export function describeExit({ code, signal }: Exit, lastWords: string): string {
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${code ?? "unknown"}`;
  return lastWords ? `It ${how}: ${lastWords}` : `It ${how}.`;
}
