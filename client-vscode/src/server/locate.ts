// What the search for the server needs to know, gathered from VS Code and the machine.
import { homedir } from "node:os";
import { workspace, type ExtensionContext, type LogOutputChannel } from "vscode";
import { findServer, isFile, type Found, type NotFound, type Surroundings } from "./findServer";
import { activeInterpreter } from "./pythonEnvironment";

export class Locator {
  constructor(
    private readonly context: Pick<ExtensionContext, "globalStorageUri">,
    private readonly log: LogOutputChannel,
  ) {}

  async surroundings(): Promise<Surroundings> {
    const configured = workspace.getConfiguration("kaaj").get<string>("path", "");
    return {
      configured,
      // With a setting the Python extension need not be waited for.
      python: configured.trim() ? undefined : await activeInterpreter((problem) => {
        this.log.info(problem);
      }),
      env: process.env,
      home: homedir(),
      storage: this.context.globalStorageUri.fsPath,
      workspace: (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file").map(({ uri }) => uri.fsPath),
      platform: process.platform,
    };
  }

  async find(): Promise<Found | NotFound> {
    return findServer(await this.surroundings(), isFile);
  }
}
