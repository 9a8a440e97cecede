// The interpreter that the person chose in one of the Python extensions, by their public interfaces.
import { extensions, workspace, type Uri } from "vscode";

/** Of `ms-python.vscode-python-envs`: the part that is used. */
interface EnvironmentsApi {
  getEnvironment(scope: Uri | undefined): Promise<{ execInfo?: { run?: { executable?: string } } } | undefined>;
}

/** Of `ms-python.python`: the part that is used. */
interface PythonApi {
  environments?: {
    getActiveEnvironmentPath(resource?: Uri): { path: string };
    resolveEnvironment(environment: { path: string }): Promise<{ executable?: { uri?: Uri } } | undefined>;
  };
}

/** How long the start of the server waits for them; they are other people's code. */
const PATIENCE_MS = 3_000;

async function interfaceOf(id: string): Promise<unknown> {
  const extension = extensions.getExtension<unknown>(id);
  if (!extension) return undefined;
  return extension.isActive ? extension.exports : await extension.activate();
}

async function interpreter(): Promise<string | undefined> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const chooser = (await interfaceOf("ms-python.vscode-python-envs")) as EnvironmentsApi | undefined;
  const chosen = (await chooser?.getEnvironment(folder))?.execInfo?.run?.executable;
  if (chosen) return chosen;
  const python = (await interfaceOf("ms-python.python")) as PythonApi | undefined;
  const active = python?.environments?.getActiveEnvironmentPath(folder);
  if (!active) return undefined;
  return (await python?.environments?.resolveEnvironment(active))?.executable?.uri?.fsPath;
}

/** Undefined where no such extension is installed, or where it fails or is slow: the search then goes on without it. */
export async function activeInterpreter(note: (problem: string) => void): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      note("The Python extension did not name its interpreter in time.");
      resolve(undefined);
    }, PATIENCE_MS);
  });
  try {
    return await Promise.race([interpreter(), late]);
  } catch (error) {
    note(`The Python extension did not name its interpreter: ${String(error)}`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
