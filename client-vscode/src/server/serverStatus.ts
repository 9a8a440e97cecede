// Where the server's process stands, as the status bar and the views tell it.

/** The short form, for views that only need to know whether the server can be asked. */
export type ServerState = "starting" | "running" | "stopped";

/** Why there is no server. `message` says it to a person, and what to do. */
export interface StopReason {
  /**
   * `missing`: no kaaj was found. `broken`: the program does not start, does not answer, or is no Kaaj.
   * `version`: the two do not understand each other. `died`: it ended too often. `asked`: it was to stop.
   */
  readonly why: "missing" | "broken" | "version" | "died" | "asked";
  readonly message: string;
  /** Which of the two is to be updated; only with `version`. */
  readonly update?: "server" | "extension";
}

export type ServerStatus =
  | { readonly kind: "starting" }
  | { readonly kind: "installing" }
  /** `trouble`: it runs, but not all is well; says what, and what to do. */
  | { readonly kind: "running"; readonly command: string; readonly restricted: boolean; readonly trouble?: string }
  /** Its process is there and answers nothing. It may come back to `running` by itself. */
  | { readonly kind: "hanging"; readonly message: string }
  /** It died and is started again at `at` (milliseconds since the epoch). */
  | { readonly kind: "restarting"; readonly at: number; readonly why: string }
  | ({ readonly kind: "stopped" } & StopReason);

export function stateOf(status: ServerStatus): ServerState {
  switch (status.kind) {
    case "starting":
    case "restarting":
      return "starting";
    case "running":
    case "hanging": // what it told is still true
      return "running";
    case "installing":
    case "stopped":
      return "stopped";
  }
}
