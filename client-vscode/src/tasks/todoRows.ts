// The view "To-do" as rows: the items of one task, below each its hunks and its check.
import { checkRow, type ChangeAbout } from "../changes/changeRows";
import { counts, countsText, preview, spokenCounts, targetOf, type NameOf } from "../changes/changeParts";
import { oneLine } from "../plainText";
import type { Change, TodoItem } from "../protocol.gen";
import type { TaskView, ViewState } from "../state/projection";
import type { Row } from "../tree/row";
import { isOpen } from "./todoEdits";

export type TodoAbout =
  | { readonly kind: "item"; readonly task: TaskView; readonly item: TodoItem }
  | ({ readonly kind: "part" } & ChangeAbout);
export type TodoRow = Row<TodoAbout>;

/** A task with the changes that it made, and whether its list can still be edited. */
export interface ShownTask {
  readonly task: TaskView;
  readonly changes: readonly Change[];
  readonly editable: boolean;
}

const ICONS: Record<TodoItem["status"], { icon: string; color?: string }> = {
  pending: { icon: "circle-large-outline" },
  running: { icon: "sync~spin", color: "charts.blue" },
  done: { icon: "pass-filled", color: "testing.iconPassed" },
  failed: { icon: "error", color: "testing.iconFailed" },
  skipped: { icon: "circle-slash", color: "disabledForeground" },
};

const AUTHORS: Record<TodoItem["by"], string> = { model: "", user: "yours", harness: "" };

/**
 * The task whose list is shown: the chosen one (out of the history), as long as no newer one runs; else the one that
 * runs, else the newest.
 */
export function shownTask(state: ViewState, chosen?: string): ShownTask | undefined {
  const all = [...state.values()].flatMap(({ tasks }) => tasks);
  const newest = (tasks: readonly TaskView[]): TaskView | undefined =>
    tasks.reduce<TaskView | undefined>((best, task) => (best && best.started > task.started ? best : task), undefined);
  const running = newest(all.filter(({ status }) => status === "running"));
  const asked = all.find(({ id }) => id === chosen);
  const task = asked && (!running || running.started <= asked.started) ? asked : (running ?? newest(all));
  if (!task) return undefined;
  const session = state.get(task.session);
  return {
    task,
    changes: session?.changes.filter((change) => change.task === task.id) ?? [],
    editable: task.status === "running" || session?.tasks.at(-1)?.id === task.id,
  };
}

export function todoRows({ task, changes, editable }: ShownTask, nameOf: NameOf): TodoRow[] {
  const change = changes.findLast(({ files }) => files.length > 0);
  return task.todo.map((item, index) => {
    const { icon, color } = ICONS[item.status];
    const title = oneLine(item.title, 400);
    const below = change ? partRows(item, change, nameOf) : [];
    const note = item.evidence?.note ?? "";
    const by = AUTHORS[item.by];
    return {
      id: `todo/${task.session}/${task.id}/${item.id}`,
      label: title,
      ...(by ? { description: by } : {}),
      tooltip: [title, statusWords(item), note].filter(Boolean).join("\n"),
      icon,
      ...(color === undefined ? {} : { color }),
      spoken: `${title}, ${statusWords(item)}, ${index + 1} of ${task.todo.length}`,
      context: `todo.${item.status}.${editable ? (task.status === "running" ? "live" : "ended") : "old"}`,
      children: below,
      open: item.status !== "done",
      about: { kind: "item", task, item },
    };
  });
}

function statusWords(item: TodoItem): string {
  return item.status === "pending" ? "open" : item.status;
}

function partRows(item: TodoItem, change: Change, nameOf: NameOf): TodoRow[] {
  const named = new Set(item.evidence?.hunks);
  const rows: TodoRow[] = [];
  for (const file of change.files) {
    for (const hunk of file.hunks) {
      if (hunk.todo === undefined ? !named.has(hunk.id) : hunk.todo !== item.id) continue;
      const counted = counts([hunk]);
      const name = oneLine(nameOf(targetOf(file)));
      const line = hunk.range.start.line + 1;
      const text = oneLine(preview(hunk), 80);
      rows.push({
        id: `todo/${item.id}/hunk/${change.id}/${file.uri}/${hunk.id}`,
        label: `${name.slice(name.lastIndexOf("/") + 1)}:${line}`,
        description: countsText(counted),
        tooltip: [`${name}:${line}`, text].filter(Boolean).join("\n"),
        icon: "file",
        resource: targetOf(file),
        spoken: `${name}, line ${line}, ${spokenCounts(counted)}`,
        context: `hunk.${change.state}`,
        opens: true,
        about: { kind: "part", change, file, hunk },
      });
    }
  }
  if (rows.length === 0 || !change.check) return rows;
  const check = checkRow(change, change.check, `todo/${item.id}/check/${change.id}`);
  return [...rows, ...check.map((row) => ({ ...row, children: [], about: { kind: "part", ...row.about } as const }))];
}

/** What stands beside the view's title: how far the list is, and what the task is. */
export function todoTitle({ task }: ShownTask): string {
  const done = task.todo.filter(({ status }) => status === "done" || status === "skipped").length;
  const prompt = oneLine(task.prompt, 60);
  return task.todo.length > 0 ? `${done}/${task.todo.length} · ${prompt}` : prompt;
}

/** What the badge counts: the items that are still to be done. */
export function openItems({ task }: ShownTask): number {
  return task.todo.filter(isOpen).length;
}
