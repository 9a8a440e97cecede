// Whether server and extension speak the same version of the protocol.
import { PROTOCOL_VERSION } from "../protocol.gen";

export interface Mismatch {
  readonly update: "server" | "extension";
  readonly message: string;
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** What is wrong with the version in the server's answer to `initialize`; undefined where it is ours. */
export function mismatch(capabilities: unknown): Mismatch | undefined {
  const version = field(field(field(capabilities, "experimental"), "kaaj"), "version");
  if (version === PROTOCOL_VERSION) return undefined;
  if (typeof version !== "number") {
    return {
      update: "server",
      message: `The program that was started names no version of Kaaj's protocol; this extension needs version ${PROTOCOL_VERSION}. Update Kaaj's server.`,
    };
  }
  const update = version < PROTOCOL_VERSION ? "server" : "extension";
  const what = update === "server" ? "Update Kaaj's server." : "Update this extension.";
  return {
    update,
    message: `Kaaj's server speaks version ${version} of the protocol, this extension version ${PROTOCOL_VERSION}. ${what}`,
  };
}
