// The server's process and the talk with it.
import { commands, env, window, workspace, type LogOutputChannel } from "vscode";
import {
  ExecuteCommandRequest,
  LanguageClient,
  State,
  type ClientCapabilities,
  type LanguageClientOptions,
  type ServerOptions,
  type StaticFeature,
} from "vscode-languageclient/node";
import { findServer, isFile } from "./findServer";
import { PROTOCOL_VERSION, type KaajCommands, type KaajEvent } from "../protocol.gen";

export type ServerState = "starting" | "running" | "stopped";

const EVENT = "kaaj/event";

/** Tells the server that this client follows the event stream. */
class EventStream implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const others = (capabilities.experimental ?? {}) as Record<string, unknown>;
    capabilities.experimental = { ...others, kaaj: { version: PROTOCOL_VERSION } };
  }
  initialize(): void {
    // Nothing depends on what the server can do.
  }
  getState(): { kind: "static" } {
    return { kind: "static" };
  }
  clear(): void {
    // Holds nothing.
  }
}

export interface Listener {
  onEvent(event: KaajEvent): void;
  onState(state: ServerState): void;
}

export class Server {
  private client: LanguageClient | undefined;

  constructor(
    private readonly log: LogOutputChannel,
    private readonly listener: Listener,
  ) {}

  /** Start the server, or say why not. A crash is followed by the language client's own restarts. */
  async start(): Promise<void> {
    const configured = workspace.getConfiguration("kaaj").get<string>("path", "");
    const found = findServer(configured, process.env.PATH ?? "", process.platform, isFile);
    if ("problem" in found) {
      this.listener.onState("stopped");
      // Not awaited: the toast may stay for as long as the person likes.
      void this.tellMissing(found.problem);
      return;
    }
    const options: ServerOptions = { command: found.command, args: ["serve", "--stdio"] };
    const client = new LanguageClient("kaaj", "Kaaj", options, this.clientOptions());
    this.client = client;
    client.registerFeature(new EventStream());
    client.onDidChangeState(({ newState }) => {
      if (this.client === client) this.listener.onState(stateOf(newState));
    });
    client.onNotification(EVENT, (event: KaajEvent) => {
      if (this.client === client) this.listener.onEvent(event);
    });
    await client.start();
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client?.needsStop()) await client.stop();
    await client?.dispose();
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** Run one of the server's commands. Rejects with the server's own words where it refuses. */
  async run<Name extends keyof KaajCommands>(
    command: Name,
    argument: KaajCommands[Name]["argument"],
  ): Promise<KaajCommands[Name]["result"]> {
    if (!this.client?.isRunning()) throw new Error("Kaaj's server does not run. Use “Kaaj: Restart server”.");
    const result: unknown = await this.client.sendRequest(ExecuteCommandRequest.type, {
      command,
      arguments: [argument],
    });
    return result as KaajCommands[Name]["result"];
  }

  private clientOptions(): LanguageClientOptions {
    return {
      documentSelector: [{ scheme: "file" }],
      outputChannel: this.log,
    };
  }

  private async tellMissing(problem: string): Promise<void> {
    const copy = "Copy install command";
    const settings = "Open settings";
    const answer = await window.showErrorMessage(`Kaaj cannot start. ${problem}`, copy, settings);
    if (answer === copy) await env.clipboard.writeText("pipx install 'kaaj[local]'");
    if (answer === settings) await commands.executeCommand("workbench.action.openSettings", "kaaj.path");
  }
}

function stateOf(state: State): ServerState {
  switch (state) {
    case State.Running:
      return "running";
    case State.Starting:
      return "starting";
    case State.StartFailed:
    case State.Stopped:
      return "stopped";
  }
}

