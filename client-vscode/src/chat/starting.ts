// Tasks that are started from the chat: a prompt, one more try, the plan that was made.
import { window } from "vscode";
import type { Kaaj } from "../kaaj";
import type { ContextItem, StartArgument } from "../protocol.gen";
import type { TaskView } from "../state/projection";
import type { ChatView } from "./chatView";
import type { Mode } from "./messages";

export class Starting {
  constructor(
    private readonly kaaj: Kaaj,
    private readonly chat: ChatView,
  ) {}

  prompt(prompt: string, mode: Mode, context: readonly ContextItem[]): Promise<void> {
    return this.start({ prompt, mode, ...(context.length > 0 ? { context: [...context] } : {}) });
  }

  /** The same once more, with what was handed along. */
  retry(task: TaskView): Promise<void> {
    const { prompt, mode, context } = task;
    return this.start({ prompt, mode, ...(context ? { context } : {}) });
  }

  /** Work through the list that the task of mode `plan` wrote, as it stands now. */
  runPlan(task: TaskView): Promise<void> {
    const wanted = this.chat.about?.mode ?? "ask";
    const { prompt, context } = task;
    const todo = task.todo.map(({ title, status }) => ({ title, status }));
    const mode = wanted === "plan" ? "ask" : wanted;
    return this.start({ prompt, mode, ...(todo.length > 0 ? { todo } : {}), ...(context ? { context } : {}) });
  }

  private async start(argument: StartArgument): Promise<void> {
    const { session } = this.chat.shown;
    const editor = window.activeTextEditor;
    const place = editor?.document.uri.scheme === "file" ? { uri: editor.document.uri.toString() } : {};
    const result = await this.kaaj.server.run("kaaj.start", { ...place, ...argument, ...(session ? { session } : {}) });
    // Its events may be here before the answer is; then it is on view already.
    if (result.session !== this.chat.shown.session) await this.chat.show(result.session);
  }
}
