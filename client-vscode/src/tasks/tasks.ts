// The view "To-do": the list of the task at hand, and what can be done with it.
import { commands, window } from "vscode";
import { nameOf } from "../changes/changes";
import type { Review } from "../changes/review";
import type { Kaaj, Owned } from "../kaaj";
import { LiveTree } from "../tree/liveTree";
import { ItemDragging } from "./dragging";
import { registerTaskCommands } from "./taskCommands";
import { registerTodoCommands, TodoEditing } from "./todoCommands";
import { isOpen } from "./todoEdits";
import { openItems, shownTask, todoRows, todoTitle, type ShownTask, type TodoAbout } from "./todoRows";

export function registerTasks(kaaj: Kaaj, review: Review): Owned[] {
  const { store } = kaaj;
  let chosen: string | undefined;
  const shown = (): ShownTask | undefined => shownTask(store.state, chosen);
  const tree = new LiveTree<TodoAbout>("kaaj.ui.openTodoPart");
  const editing = new TodoEditing(kaaj.server, shown);
  const view = window.createTreeView("kaaj.todo", {
    treeDataProvider: tree,
    dragAndDropController: new ItemDragging(editing),
    canSelectMany: true,
    showCollapseAll: true,
  });
  const draw = (): void => {
    const task = shown();
    tree.show(task ? todoRows(task, nameOf) : []);
    view.description = task ? todoTitle(task) : "";
    const open = task ? openItems(task) : 0;
    view.badge = open > 0 ? { value: open, tooltip: `${open} open in Kaaj's to-do list` } : undefined;
    void commands.executeCommand("setContext", "kaaj.todoState", stateOf(task));
  };
  draw();
  return [
    tree,
    view,
    store.onChange(draw),
    ...registerTodoCommands(kaaj, { review, tree, view, editing, shown }, (task) => {
      chosen = task;
      draw();
    }),
    ...registerTaskCommands(kaaj),
  ];
}

/** What the menus and the empty view look at. */
function stateOf(shown: ShownTask | undefined): string {
  if (!shown) return "none";
  const { task, changes, editable } = shown;
  const running = task.status === "running";
  if (task.todo.length === 0) return running && changes.length === 0 ? "planning" : "bare";
  if (running) return "live";
  if (!editable) return "old";
  return task.todo.some(isOpen) ? "left" : "ended";
}
