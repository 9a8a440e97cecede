// The owner of the server: one process at a time, started again when it dies, and always a word on where it stands.
import { homedir } from "node:os";
import { workspace, type LogOutputChannel } from "vscode";
import { ExecuteCommandRequest } from "vscode-languageclient/node";
import { Advice } from "../advice";
import type { KaajCommands, KaajEvent } from "../protocol.gen";
import { connect, pushSettings } from "./connection";
import type { Found, NotFound } from "./findServer";
import { firstWords, open, type Live } from "./opening";
import { PATIENCE_SECONDS, Pulse } from "./pulse";
import { Restarts } from "./restarts";
import { describeExit, ServerProcess } from "./serverProcess";
import type { ServerStatus } from "./serverStatus";
import { SHOW_LOG, unavailable } from "./unavailable";
import { mismatch } from "./version";

export type { ServerState } from "./serverStatus";

/** VS Code gives an extension five seconds to leave. */
const STOP_MS = 4_000;

export interface Surrounding {
  find(): Promise<Found | NotFound>;
  apiKey(): PromiseLike<string | undefined>;
  onEvent(event: KaajEvent): void;
  onStatus(status: ServerStatus): void;
}

export class Server {
  private now: ServerStatus = { kind: "starting" };
  private live: Live | undefined;
  /** Counts what was asked of the process; work for an older demand lets go where it sees a newer one. */
  private demand = 0;
  private ending: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private waiting: (() => void)[] = [];
  private readonly restarts = new Restarts();

  constructor(
    private readonly log: LogOutputChannel,
    private readonly surrounding: Surrounding,
  ) {}

  get status(): ServerStatus {
    return this.now;
  }

  /** Start it, also where it ran. It rejects in no case: what went wrong is in the status. */
  async start(): Promise<void> {
    this.restarts.forget();
    const mine = this.next();
    this.become({ kind: "starting" });
    await this.end();
    await this.launch(mine);
  }

  restart(): Promise<void> {
    return this.start();
  }

  async stop(message = "Kaaj's server was stopped."): Promise<void> {
    this.next();
    this.become({ kind: "stopped", why: "asked", message });
    await this.end();
  }

  /** Do something to the installed program while no process of it runs, then start it. */
  async installing<Result>(work: () => Promise<Result>): Promise<Result> {
    this.next();
    this.become({ kind: "installing" });
    await this.end();
    try {
      return await work();
    } finally {
      void this.start();
    }
  }

  /** The settings or the key are others now. */
  async settingsChanged(): Promise<void> {
    if (this.live?.client.isRunning()) await pushSettings(this.live.client);
  }

  /** Say of the server that runs that not all is well; a new process is told nothing of it. */
  trouble(message: string): void {
    if (this.now.kind === "running") this.become({ ...this.now, trouble: message });
  }

  /** Run one of the server's commands, once it has started. Rejects with the server's own words where it refuses. */
  async run<Name extends keyof KaajCommands>(
    command: Name,
    argument: KaajCommands[Name]["argument"],
  ): Promise<KaajCommands[Name]["result"]> {
    if ((command === "kaaj.start" || command === "kaaj.fix") && !workspace.workspaceFolders?.length) {
      throw new Advice("Open a folder first: Kaaj works on the files of a folder.", {
        title: "Open folder…",
        command: "vscode.openFolder",
      });
    }
    if (this.now.kind === "starting") {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
      });
    }
    const live = this.live;
    if (this.now.kind !== "running" || !live?.client.isRunning()) throw unavailable(this.now);
    try {
      const answer: unknown = await live.client.sendRequest(ExecuteCommandRequest.type, { command, arguments: [argument] });
      return answer as KaajCommands[Name]["result"];
    } catch (error) {
      if (this.live === live && live.client.isRunning()) throw error;
      throw new Advice("Kaaj's server ended before it answered. It is started again; then ask once more.", SHOW_LOG);
    }
  }

  private next(): number {
    clearTimeout(this.timer);
    this.demand += 1;
    return this.demand;
  }

  private become(status: ServerStatus): void {
    this.now = status;
    if (status.kind === "stopped" || status.kind === "restarting" || status.kind === "hanging") {
      const message = status.kind === "restarting" ? status.why : status.message;
      this.log.warn(`Server ${status.kind}: ${message}`);
    }
    this.surrounding.onStatus(status);
    if (status.kind === "starting") return;
    for (const go of this.waiting.splice(0)) go();
  }

  /** End the process that runs, if one does; those who ask meanwhile wait for the same end. */
  private end(): Promise<void> {
    const live = this.live;
    this.live = undefined;
    if (live) this.ending = this.ending.then(() => this.endOf(live));
    return this.ending;
  }

  private async endOf({ process, client, pulse }: Live): Promise<void> {
    const deaf = pulse.hangs;
    pulse.dispose();
    try {
      if (deaf) {
        process.kill(); // it would not hear that it is to leave
        client.dispose().catch(() => undefined);
      } else if (client.isRunning()) await client.stop(STOP_MS);
      else process.child.kill();
    } catch (error) {
      this.log.info(`The server did not stop as asked: ${String(error)}`);
    }
    await process.end();
  }

  private async launch(mine: number): Promise<void> {
    if (mine !== this.demand) return;
    this.become({ kind: "starting" });
    const found = await this.surrounding.find();
    if (mine !== this.demand) return;
    if ("problem" in found) {
      this.become({ kind: "stopped", why: found.missing ? "missing" : "broken", message: found.problem });
      return;
    }
    this.log.info(`Starting ${found.command} (${found.origin})`);
    let process: ServerProcess;
    try {
      process = await ServerProcess.start(found.command, ["serve", "--stdio"], homedir(), (line) => {
        this.log.info(line);
      });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (mine === this.demand) {
        this.become({ kind: "stopped", why: "broken", message: `Kaaj's server could not be started. ${why}` });
      }
      return;
    }
    if (mine === this.demand) await this.converse(mine, process, found.command);
    else process.kill();
  }

  private async converse(mine: number, process: ServerProcess, command: string): Promise<void> {
    let rubbish: (error: Error) => void = () => undefined;
    const spoiled = new Promise<Error>((resolve) => {
      rubbish = resolve;
    });
    const restricted = !workspace.isTrusted;
    let running: ServerStatus | undefined;
    const pulse = new Pulse((hangs) => {
      if (mine !== this.demand || !running) return;
      const message = `Kaaj's server has not answered for ${PATIENCE_SECONDS} seconds. It may come back; restart it if it does not. What had been done is kept.`;
      if (hangs && this.now.kind === "running") running = this.now;
      this.become(hangs ? { kind: "hanging", message } : running);
    });
    const client = connect(process, !restricted, this.log, {
      onEvent: (event) => {
        pulse.heard();
        if (this.live?.client === client) this.surrounding.onEvent(event);
      },
      onRubbish: (error) => {
        this.log.error(`The server's output is no LSP: ${error.message}`);
        rubbish(error);
      },
      onRequest: (answer) => pulse.follow(answer),
      apiKey: () => {
        pulse.heard(); // it asks for its settings
        return this.surrounding.apiKey();
      },
    });
    const live: Live = { process, client, pulse };
    this.live = live;
    firstWords(process, rubbish);
    const opened = await open(live, spoiled);
    if (mine !== this.demand) return;
    switch (opened.kind) {
      case "exit":
        this.died(mine, live, describeExit(opened.exit, process.lastWords), 0);
        return;
      case "failed":
        this.giveUp({ why: "broken", message: `${opened.message} The program is ${command}.` });
        return;
      case "ready":
        break;
    }
    const wrong = mismatch(client.initializeResult?.capabilities);
    if (wrong) {
      this.giveUp({ why: "version", ...wrong });
      return;
    }
    const since = Date.now();
    running = { kind: "running", command, restricted };
    this.become(running);
    void process.exited.then((exit) => {
      if (mine === this.demand) this.died(mine, live, describeExit(exit, process.lastWords), Date.now() - since);
    });
    void spoiled.then(() => {
      // Nothing that it says can be read any more: its end is followed by a new one.
      process.kill();
    });
  }

  private giveUp(reason: Omit<Extract<ServerStatus, { kind: "stopped" }>, "kind">): void {
    this.next();
    this.become({ kind: "stopped", ...reason });
    void this.end();
  }

  private died(mine: number, live: Live, how: string, ranMs: number): void {
    this.live = undefined;
    live.pulse.dispose();
    live.client.dispose().catch(() => undefined); // it has no connection to close any more
    const then = this.restarts.died(Date.now(), ranMs);
    if (then.kind === "enough") {
      const message = `Kaaj's server ended ${then.deaths} times within 3 minutes and is not started again by itself. ${how}`;
      this.become({ kind: "stopped", why: "died", message });
      return;
    }
    this.become({ kind: "restarting", at: Date.now() + then.seconds * 1_000, why: how });
    this.timer = setTimeout(() => void this.launch(mine), then.seconds * 1_000);
  }
}
