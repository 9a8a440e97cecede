// What stands at the end of the line from which a running task was started.
import { oneLine } from "../plainText";
import type { TaskView } from "../state/projection";

/** Undefined where there is nothing to say (any more). `waiting`: its change waits for the person. */
export function progressText(task: TaskView | undefined, waiting: boolean): string | undefined {
  if (task?.status !== "running") return undefined;
  if (waiting) return "Kaaj: a change waits for you";
  const at = task.todo.findIndex(({ status }) => status === "running");
  const item = task.todo[at];
  if (item) return `Kaaj ${at + 1}/${task.todo.length}: ${oneLine(item.title, 60)}`;
  const done = task.todo.filter(({ status }) => status === "done" || status === "skipped").length;
  return task.todo.length > 0 ? `Kaaj ${done}/${task.todo.length}…` : "Kaaj is at work…";
}
