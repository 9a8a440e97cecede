// The talk with one server process, in LSP. A process has one connection; a new process gets a new one.
import { languages, Uri, workspace, type LogOutputChannel } from "vscode";
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  LanguageClient,
  type ClientCapabilities,
  type LanguageClientOptions,
  type StaticFeature,
} from "vscode-languageclient/node";
import { PROTOCOL_VERSION, type DiagnosticsAnswer, type DiagnosticsQuery, type KaajEvent } from "../protocol.gen";
import { diagnosticsAnswer } from "./diagnosticsAnswer";
import type { ServerProcess } from "./serverProcess";
import { settingsAnswer } from "./settingsAnswer";

const EVENT = "kaaj/event";
const DIAGNOSTICS = "kaaj/diagnostics";
const SECTION = "kaaj";

/** Tells the server that this client follows the event stream and can be asked for the editor's problems. */
class KaajCapabilities implements StaticFeature {
  fillClientCapabilities(capabilities: ClientCapabilities): void {
    const others = (capabilities.experimental ?? {}) as Record<string, unknown>;
    capabilities.experimental = { ...others, kaaj: { version: PROTOCOL_VERSION, diagnostics: true } };
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

/** The library's client, without its toasts: what went wrong is told once, by the process's owner. */
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export interface Partner {
  onEvent(event: KaajEvent): void;
  /** What came was no LSP. */
  onRubbish(error: Error): void;
  /** A request was sent. What ends only when the person has decided is none: it may take as long as they like. */
  onRequest<Answer>(answer: Promise<Answer>): Promise<Answer>;
  apiKey(): PromiseLike<string | undefined>;
}

/** Commands that may wait for a person: the editor shows them the edit first, or asks for a file's deletion. */
const WAITS_FOR_PERSON: readonly unknown[] = ["kaaj.accept", "kaaj.undo"];

function waitsForPerson(params: unknown): boolean {
  return typeof params === "object" && params !== null && "command" in params && WAITS_FOR_PERSON.includes(params.command);
}

/** A client that is yet to be started. Whether the process ends, and what then, is not its business. */
export function connect(process: ServerProcess, trusted: boolean, log: LogOutputChannel, partner: Partner): LanguageClient {
  const options: LanguageClientOptions = {
    documentSelector: [{ scheme: "file" }],
    outputChannel: log,
    initializationOptions: { trusted },
    stdioOptions: {
      stdout: () => undefined,
      stderr: () => undefined, // the process's owner reads it
    },
    errorHandler: {
      error: (error, message) => {
        // With a message it is a write that failed: the process is about to be seen dead.
        if (!message) partner.onRubbish(error);
        return { action: ErrorAction.Continue, handled: true };
      },
      closed: () => {
        const message = "The connection to the server was closed.";
        return { action: CloseAction.DoNotRestart, handled: true, message };
      },
    },
    // A refusal is told by whoever started it; without a handler the library would show it too.
    initializationFailedHandler: () => false,
    middleware: {
      sendRequest: (type, params, token, next) => {
        const answer = next(type, params, token);
        return waitsForPerson(params) ? answer : partner.onRequest(answer);
      },
      workspace: {
        configuration: async ({ items }) => {
          const section = await currentSettings(partner);
          return items.map((item) => (item.section === SECTION ? section : null));
        },
        didChangeConfiguration: async () => {
          await pushSettings(client);
        },
      },
    },
  };
  const client = new QuietClient(SECTION, "Kaaj", () => Promise.resolve(process.child), options);
  client.registerFeature(new KaajCapabilities());
  client.onNotification(EVENT, (event: KaajEvent) => {
    partner.onEvent(event);
  });
  client.onRequest(DIAGNOSTICS, (query: DiagnosticsQuery) => editorProblems(query));
  return client;
}

/** Tell the server that the settings are others now; it asks for them, so that no key is in a notification. */
export async function pushSettings(client: LanguageClient): Promise<void> {
  await client.sendNotification(DidChangeConfigurationNotification.type, { settings: null });
}

async function currentSettings(partner: Partner): Promise<Record<string, unknown>> {
  const configuration = workspace.getConfiguration(SECTION);
  return settingsAnswer((name) => configuration.inspect(name), await partner.apiKey());
}

function editorProblems({ uri }: DiagnosticsQuery): DiagnosticsAnswer {
  if (uri !== undefined) {
    return diagnosticsAnswer([[uri, languages.getDiagnostics(Uri.parse(uri))]], uri);
  }
  const files = languages.getDiagnostics().filter(([file]) => file.scheme === "file");
  return diagnosticsAnswer(
    files.map(([file, problems]) => [file.toString(), problems]),
    undefined,
  );
}

