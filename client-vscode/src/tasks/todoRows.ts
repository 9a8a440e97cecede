// The view "To-do" as rows: the items of one task, below each its hunks and its check.
import { checkRow, type ChangeAbout } from "../changes/changeRows";
import { counts, countsText, preview, spokenCounts, targetOf, type NameOf, type Part } from "../changes/changeParts";
import { firstLine, oneLine, unmarked } from "../plainText";
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
  const standing = standingChanges(changes);
  // Where all items are the person's own, that need not stand at each of them.
  const mixed = task.todo.some(({ by }) => by !== "user");
  return task.todo.map((item, index) => {
    const { icon, color } = ICONS[item.status];
    const title = oneLine(unmarked(item.title), 400);
    const below = partRows(item, standing, nameOf);
    const note = item.evidence?.note ?? "";
    const hunks = below.flatMap(({ about }) => (about.kind === "part" && about.hunk ? [about.hunk] : []));
    const by = mixed ? AUTHORS[item.by] : "";
    const description = [by, hunks.length > 0 ? countsText(counts(hunks)) : ""].filter(Boolean).join(" · ");
    return {
      id: `todo/${task.session}/${task.id}/${item.id}`,
      label: title,
      ...(description ? { description } : {}),
      tooltip: [title, statusWords(item), note].filter(Boolean).join("\n"),
      icon,
      ...(color === undefined ? {} : { color }),
      spoken: `${title}, ${statusWords(item)}, ${index + 1} of ${task.todo.length}`,
      context: `todo.${item.status}.${editable ? (task.status === "running" ? "live" : "ended") : "old"}`,
      children: below,
      about: { kind: "item", task, item },
    };
  });
}

function statusWords(item: TodoItem): string {
  return item.status === "pending" ? "open" : item.status;
}

const STANDING: readonly Change["state"][] = ["draft", "checked", "proposed", "applied"];

/** The changes that count: where some hunks were accepted, the rest is a change of its own. Else the last that did. */
function standingChanges(changes: readonly Change[]): readonly Change[] {
  const some = changes.filter(({ files }) => files.length > 0);
  const standing = some.filter(({ state }) => STANDING.includes(state));
  return standing.length > 0 ? standing : some.slice(-1);
}

function partRows(item: TodoItem, changes: readonly Change[], nameOf: NameOf): TodoRow[] {
  const named = new Set(item.evidence?.hunks);
  const rows = new Map<string, TodoRow>();
  for (const change of changes) {
    for (const file of change.files) {
      for (const hunk of file.hunks) {
        if (hunk.todo === undefined ? !named.has(hunk.id) : hunk.todo !== item.id) continue;
        // Without the change in it: a hunk that goes on in another change stays the same row.
        const id = `todo/${item.id}/hunk/${file.uri}/${hunk.id}`;
        rows.set(id, partRow(id, { change, file, hunk }, nameOf));
      }
    }
  }
  const change = changes.findLast(({ files }) => files.some((file) => file.hunks.some(({ todo }) => todo === item.id)));
  if (!change?.check) return [...rows.values()];
  const check = checkRow(change, change.check, `todo/${item.id}/check`);
  return [...rows.values(), ...check.map((row) => ({ ...row, children: [], about: { kind: "part", ...row.about } as const }))];
}

function partRow(id: string, { change, file, hunk }: Required<Part>, nameOf: NameOf): TodoRow {
  const counted = counts([hunk]);
  const name = oneLine(nameOf(targetOf(file)));
  const line = hunk.range.start.line + 1;
  const text = oneLine(preview(hunk), 80);
  return {
    id,
    label: `${name.slice(name.lastIndexOf("/") + 1)}:${line}`,
    description: `${countsText(counted)}${change.state === "applied" ? " · applied" : ""}`,
    tooltip: [`${name}:${line}`, text].filter(Boolean).join("\n"),
    icon: "file",
    resource: targetOf(file),
    spoken: `${name}, line ${line}, ${spokenCounts(counted)}, ${change.state}`,
    context: `hunk.${change.state}`,
    opens: true,
    about: { kind: "part", change, file, hunk },
  };
}

/** What stands beside the view's title: how far the list is, and what the task is. */
export function todoTitle({ task }: ShownTask): string {
  const done = task.todo.filter(({ status }) => status === "done" || status === "skipped").length;
  const prompt = firstLine(task.prompt, 60);
  return task.todo.length > 0 ? `${done}/${task.todo.length} · ${prompt}` : prompt;
}

/** What the badge counts: the items that are still to be done. */
export function openItems({ task }: ShownTask): number {
  return task.todo.filter(isOpen).length;
}
