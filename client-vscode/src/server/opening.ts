// The beginning of the talk with a server's process, and the ways in which it does not begin.
import type { LanguageClient } from "vscode-languageclient/node";
import { firstLine, inert } from "../plainText";
import type { Pulse } from "./pulse";
import type { Exit, ServerProcess } from "./serverProcess";

/** How long a server may take to answer `initialize`; the first start after an installation compiles a lot. */
const START_MS = 30_000;
/** Between the end of its output and the end of the process. */
const EXIT_MS = 1_000;

export interface Live {
  readonly process: ServerProcess;
  readonly client: LanguageClient;
  readonly pulse: Pulse;
}

export type Opened =
  | { readonly kind: "ready" }
  | { readonly kind: "exit"; readonly exit: Exit }
  | { readonly kind: "failed"; readonly message: string };

/** Start the talk. It ends in one of three ways, and within a set time. */
export async function open({ process, client }: Live, spoiled: Promise<Error>): Promise<Opened> {
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<Opened>((resolve) => {
    const message = `Kaaj's server did not answer within ${START_MS / 1_000} seconds and was ended.`;
    limit = setTimeout(() => {
      resolve({ kind: "failed", message });
    }, START_MS);
  });
  const exit = process.exited.then((how): Opened => ({ kind: "exit", exit: how }));
  const started = client.start().then(
    (): Opened => ({ kind: "ready" }),
    async (error: unknown): Promise<Opened> => {
      // A process that ends closes its output first; its end says more than the broken talk.
      const refusal: Opened = { kind: "failed", message: `Kaaj's server refused to start: ${messageOf(error)}` };
      return Promise.race([exit, new Promise<Opened>((resolve) => setTimeout(resolve, EXIT_MS, refusal))]);
    },
  );
  const rubbish = spoiled.then((error): Opened => {
    return { kind: "failed", message: `The program that was started does not speak as a language server does. ${error.message}` };
  });
  try {
    return await Promise.race([started, exit, rubbish, late]);
  } finally {
    clearTimeout(limit);
  }
}

/** Look at how its output begins: the library would wait for the header of a message, whatever comes. */
export function firstWords(process: ServerProcess, rubbish: (error: Error) => void): void {
  process.child.stdout.once("data", (first: Buffer) => {
    const words = first.toString("utf8", 0, 200);
    if (!beginsMessage(words)) rubbish(new Error(`It says “${inert(firstLine(words, 60))}”.`));
  });
}

/** Whether this is how a message of LSP begins; of a short piece, whether it may become one. */
function beginsMessage(piece: string): boolean {
  const begin = "content-";
  return piece.slice(0, begin.length).toLowerCase() === begin.slice(0, piece.length);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
