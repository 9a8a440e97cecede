// Edits of a to-do list: each makes the whole list that `kaaj.todo` wants.
import type { TodoEdit, TodoItem } from "../protocol.gen";

export type ListEdit =
  | { readonly kind: "add"; readonly title: string; readonly after?: string }
  | { readonly kind: "rename"; readonly id: string; readonly title: string }
  | { readonly kind: "remove"; readonly ids: readonly string[] }
  | { readonly kind: "skip" | "unskip"; readonly ids: readonly string[] }
  /** Of the items that are still to be done, only these are. */
  | { readonly kind: "only"; readonly ids: readonly string[] }
  /** One place up or down. */
  | { readonly kind: "up" | "down"; readonly ids: readonly string[] }
  /** To the place of the item `at`; to the end without it. */
  | { readonly kind: "move"; readonly ids: readonly string[]; readonly at?: string };

/** Characters of a title. */
export const TITLE_MAX = 500;

/** The list after the edit. An id that is not in it (any more) is passed over. */
export function edited(items: readonly TodoItem[], edit: ListEdit): TodoEdit[] {
  switch (edit.kind) {
    case "add": {
      const rows = items.map(kept);
      const at = items.findIndex(({ id }) => id === edit.after);
      rows.splice(at < 0 ? rows.length : at + 1, 0, { title: edit.title.trim() });
      return rows;
    }
    case "rename":
      return items.map((item) => (item.id === edit.id ? { ...kept(item), title: edit.title.trim() } : kept(item)));
    case "remove":
      return items.filter(({ id }) => !edit.ids.includes(id)).map(kept);
    case "skip":
      return items.map((item) => (edit.ids.includes(item.id) ? { ...kept(item), status: "skipped" } : kept(item)));
    case "unskip":
      return items.map((item) => (edit.ids.includes(item.id) ? { ...kept(item), status: "pending" } : kept(item)));
    case "only":
      return items.map((item) => {
        if (edit.ids.includes(item.id)) return again(item);
        return isOpen(item) ? { ...kept(item), status: "skipped" } : kept(item);
      });
    case "up":
    case "down":
      return stepped(items, edit.ids, edit.kind).map(kept);
    case "move":
      return moved(items, edit.ids, edit.at).map(kept);
  }
}

/** Whether the edit leaves the list as it is, so that nothing need be sent. */
export function idle(items: readonly TodoItem[], after: readonly TodoEdit[]): boolean {
  return (
    items.length === after.length &&
    items.every(({ id, title }, index) => {
      const row = after[index];
      return row?.id === id && row.title === title && row.status === undefined;
    })
  );
}

/** The list for a new task that does the work of an ended one: these items alone, or all that is left. */
export function listToRun(items: readonly TodoItem[], only?: readonly string[]): TodoEdit[] {
  return items.map(({ id, title, status }): TodoEdit => {
    const wanted = only ? only.includes(id) : status !== "done" && status !== "skipped";
    if (wanted) return { title, status: "pending" };
    return { title, status: status === "done" ? "done" : "skipped" };
  });
}

/** Whether there is work left in it. */
export function isOpen({ status }: Pick<TodoItem, "status">): boolean {
  return status === "pending" || status === "running" || status === "failed";
}

/** The ids of the items among what rows are about. */
export function itemIds(abouts: readonly { readonly kind: string; readonly item?: TodoItem }[]): string[] {
  return abouts.flatMap(({ item }) => (item ? [item.id] : []));
}

function kept({ id, title }: TodoItem): TodoEdit {
  return { id, title };
}

function again(item: TodoItem): TodoEdit {
  return item.status === "skipped" || item.status === "failed" ? { ...kept(item), status: "pending" } : kept(item);
}

/** Those that touch each other move together; what stands at the edge stays there. */
function stepped(items: readonly TodoItem[], ids: readonly string[], way: "up" | "down"): TodoItem[] {
  const rows = way === "up" ? [...items] : [...items].reverse();
  for (let index = 1; index < rows.length; index++) {
    const [before, row] = [rows[index - 1], rows[index]];
    if (before && row && ids.includes(row.id) && !ids.includes(before.id)) {
      rows[index - 1] = row;
      rows[index] = before;
    }
  }
  return way === "up" ? rows : rows.reverse();
}

function moved(items: readonly TodoItem[], ids: readonly string[], at: string | undefined): TodoItem[] {
  if (at !== undefined && ids.includes(at)) return [...items];
  const chosen = items.filter(({ id }) => ids.includes(id));
  const rest = items.filter(({ id }) => !ids.includes(id));
  const target = rest.findIndex(({ id }) => id === at);
  if (target < 0) return at === undefined ? [...rest, ...chosen] : [...items];
  // What comes from above takes the target's place by pushing it up: else the last place could not be reached.
  const first = items.findIndex(({ id }) => ids.includes(id));
  const fromAbove = first < items.findIndex(({ id }) => id === at);
  const place = fromAbove ? target + 1 : target;
  return [...rest.slice(0, place), ...chosen, ...rest.slice(place)];
}
