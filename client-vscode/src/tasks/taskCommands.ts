// A task is started or cancelled without the chat.
import { window } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { inert } from "../plainText";
import { tasksOf } from "../state/projection";

export function registerTaskCommands({ server, store }: Kaaj): Owned[] {
  return [
    register("kaaj.ui.cancel", async (given?: { readonly task?: unknown }) => {
      const task = typeof given?.task === "string" ? given.task : await pickRunning();
      if (task === undefined) return;
      const { cancelled } = await server.run("kaaj.cancel", { task });
      if (!cancelled) window.setStatusBarMessage("Kaaj: the task had ended already", 5000);
    }),
  ];

  async function pickRunning(): Promise<string | undefined> {
    const running = tasksOf(store.state).filter(({ status }) => status === "running");
    if (running.length === 0) window.setStatusBarMessage("Kaaj: no task is running", 5000);
    if (running.length <= 1) return running[0]?.id;
    const rows = running.map(({ id, prompt }) => ({ label: inert(prompt, 100), id }));
    return (await window.showQuickPick(rows, { title: "Kaaj: cancel which task?" }))?.id;
  }
}
