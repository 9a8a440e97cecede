// What a person can ask for. Each ends in one command of the server; a refusal is shown in the server's words.
import { commands, window } from "vscode";
import { changesOf, tasksOf, type TaskView, type ViewState } from "../state/projection";
import type { Change, StartArgument } from "../protocol.gen";
import type { Review } from "../changes/review";
import { register, tell, type Kaaj, type Owned } from "../kaaj";
import type { Node } from "./taskTree";

/** Tasks and changes by the command palette and the tree. */
export function registerCommands({ server, store }: Kaaj, review: Review): Owned[] {
  const state = (): ViewState => store.state;
  const decide = async (command: "kaaj.accept" | "kaaj.reject", node?: Node): Promise<void> => {
    const change = await pickChange(state(), "proposed", node);
    if (!change) return;
    // The digest is that of the change as it was drawn: what has changed since is refused by the server.
    const argument = { change: change.id, digest: change.digest };
    if (command === "kaaj.accept") {
      tell(await server.run(command, argument), "applied");
      return;
    }
    const reason = await window.showInputBox({
      title: "Reject change",
      prompt: "Why? Kaaj will read it (may be empty).",
    });
    if (reason === undefined) return;
    tell(await server.run(command, reason ? { ...argument, reason } : argument), "rejected");
  };
  return [
    register("kaaj.ui.newTask", async () => {
      const place = selection();
      const prompt = await window.showInputBox({
        title: "Kaaj: new task",
        prompt: place.range ? "What should be done with the selection?" : "What should be done?",
        validateInput: (text) => (text.trim() ? undefined : "Say what should be done."),
        ignoreFocusOut: true,
      });
      if (prompt === undefined) return;
      await server.run("kaaj.start", { prompt, ...place });
      await commands.executeCommand("kaaj.tasks.focus");
    }),
    register("kaaj.ui.cancel", async (node?: Node) => {
      const task = await pickTask(state(), node);
      if (!task) return;
      const { cancelled } = await server.run("kaaj.cancel", { task: task.id });
      if (!cancelled) window.setStatusBarMessage("Kaaj: the task had ended already", 5000);
    }),
    register("kaaj.ui.showChange", async (node?: Node) => {
      if (node?.kind === "file") return review.show(node.change, node.file);
      const change = await pickChange(state(), undefined, node);
      if (change) await review.show(change);
    }),
    register("kaaj.ui.accept", (node?: Node) => decide("kaaj.accept", node)),
    register("kaaj.ui.reject", (node?: Node) => decide("kaaj.reject", node)),
    register("kaaj.ui.undo", async (node?: Node) => {
      const change = await pickChange(state(), "applied", node);
      if (change) tell(await server.run("kaaj.undo", { change: change.id }), "undone");
    }),
    register("kaaj.ui.restart", () => server.restart()),
  ];
}

/** Where the person is: the file at hand, and the selection if there is one. */
function selection(): Pick<StartArgument, "uri" | "range"> {
  const editor = window.activeTextEditor;
  if (editor?.document.uri.scheme !== "file") return {};
  const { start, end, isEmpty } = editor.selection;
  const uri = editor.document.uri.toString();
  if (isEmpty) return { uri };
  const plain = ({ line, character }: { line: number; character: number }) => ({ line, character });
  return { uri, range: { start: plain(start), end: plain(end) } };
}

async function pickTask(state: ViewState, node?: Node): Promise<TaskView | undefined> {
  if (node?.kind === "task") return node.task;
  const running = tasksOf(state).filter(({ status }) => status === "running");
  return pick(running, "No task is running.", (task) => ({ label: task.prompt, description: task.session }));
}

async function pickChange(
  state: ViewState,
  wanted: Change["state"] | undefined,
  node?: Node,
): Promise<Change | undefined> {
  if (node?.kind === "change" || node?.kind === "file") return node.change;
  const fitting = changesOf(state).filter((change) => change.files.length > 0 && change.state === (wanted ?? change.state));
  const none = wanted ? `No change is ${wanted}.` : "There is no change.";
  return pick(fitting, none, (change) => ({
    label: change.summary || change.id,
    description: change.state,
    detail: change.files.map(({ uri }) => uri.slice(uri.lastIndexOf("/") + 1)).join(", "),
  }));
}

async function pick<Row>(
  rows: readonly Row[],
  none: string,
  describe: (row: Row) => { label: string; description: string; detail?: string },
): Promise<Row | undefined> {
  if (rows.length === 0) void window.showInformationMessage(`Kaaj: ${none}`);
  if (rows.length <= 1) return rows[0];
  const items = rows.map((row) => ({ ...describe(row), row }));
  return (await window.showQuickPick(items))?.row;
}
