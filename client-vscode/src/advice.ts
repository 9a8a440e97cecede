// A failure that comes with what can be done about it.

export interface Remedy {
  readonly title: string;
  /** The VS Code command that does it. */
  readonly command: string;
  readonly arguments?: readonly unknown[];
}

/** Shown to the person with a button; in a view without buttons its message alone has to do. */
export class Advice extends Error {
  constructor(
    message: string,
    readonly remedy: Remedy,
  ) {
    super(message);
    this.name = "Advice";
  }
}
