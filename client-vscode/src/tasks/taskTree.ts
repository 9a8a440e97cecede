// The view "Tasks": tasks, their to-do items, their changes, the files of those.
import {
  EventEmitter,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  Uri,
  workspace,
  type TreeDataProvider,
} from "vscode";
import { changesOf, EMPTY, tasksOf, type TaskView, type ViewState } from "../state/projection";
import type { Change, FileChange, TodoItem } from "../protocol.gen";

export type Node =
  | { readonly kind: "task"; readonly task: TaskView }
  | { readonly kind: "todo"; readonly item: TodoItem; readonly task: TaskView }
  | { readonly kind: "change"; readonly change: Change }
  | { readonly kind: "file"; readonly change: Change; readonly file: FileChange };

const TODO_ICONS: Record<TodoItem["status"], ThemeIcon> = {
  pending: new ThemeIcon("circle-large-outline"),
  running: new ThemeIcon("sync~spin"),
  done: new ThemeIcon("pass", new ThemeColor("testing.iconPassed")),
  failed: new ThemeIcon("error", new ThemeColor("testing.iconFailed")),
  skipped: new ThemeIcon("circle-slash"),
};

const TASK_ICONS: Record<TaskView["status"], ThemeIcon> = {
  running: new ThemeIcon("sync~spin"),
  done: new ThemeIcon("pass"),
  stopped: new ThemeIcon("debug-pause"),
  cancelled: new ThemeIcon("circle-slash"),
  failed: new ThemeIcon("error"),
};

export class TaskTree implements TreeDataProvider<Node> {
  private readonly changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private state: ViewState = EMPTY;

  show(state: ViewState): void {
    this.state = state;
    this.changed.fire(undefined);
  }

  getChildren(node?: Node): Node[] {
    if (!node) return tasksOf(this.state).map((task) => ({ kind: "task", task }));
    switch (node.kind) {
      case "task": {
        const { task } = node;
        const changes = changesOf(this.state).filter((change) => change.task === task.id && change.files.length > 0);
        return [
          ...task.todo.map((item): Node => ({ kind: "todo", item, task })),
          ...changes.map((change): Node => ({ kind: "change", change })),
        ];
      }
      case "change":
        return node.change.files.map((file) => ({ kind: "file", change: node.change, file }));
      case "todo":
      case "file":
        return [];
    }
  }

  getTreeItem(node: Node): TreeItem {
    switch (node.kind) {
      case "task":
        return taskItem(node.task);
      case "todo":
        return todoItem(node.item, node.task);
      case "change":
        return changeItem(node.change);
      case "file":
        return fileItem(node);
    }
  }
}

function taskItem(task: TaskView): TreeItem {
  const item = new TreeItem(task.prompt.split("\n", 1)[0] ?? "", TreeItemCollapsibleState.Expanded);
  item.id = `task/${task.session}/${task.id}`;
  item.iconPath = TASK_ICONS[task.status];
  item.description = task.status === "running" ? "" : task.status;
  item.tooltip = task.summary ? `${task.prompt}\n\n${task.summary}` : task.prompt;
  item.contextValue = task.status === "running" ? "task.running" : "task.ended";
  return item;
}

function todoItem(todo: TodoItem, task: TaskView): TreeItem {
  const item = new TreeItem(todo.title, TreeItemCollapsibleState.None);
  item.id = `todo/${task.session}/${task.id}/${todo.id}`;
  item.iconPath = TODO_ICONS[todo.status];
  item.contextValue = "todo";
  item.accessibilityInformation = { label: `${todo.title}, ${todo.status}` };
  if (todo.evidence) item.tooltip = todo.evidence.note || todo.evidence.check || todo.title;
  return item;
}

function changeItem(change: Change): TreeItem {
  const count = change.files.length === 1 ? "1 file" : `${change.files.length} files`;
  const item = new TreeItem(change.summary || count, TreeItemCollapsibleState.Expanded);
  item.id = `change/${change.id}`;
  item.iconPath = new ThemeIcon("diff-multiple");
  const check = change.check && change.check.status !== "none" ? `, check ${change.check.status}` : "";
  item.description = `${change.state}${check}`;
  if (change.check?.output) item.tooltip = `${change.check.command}\n\n${change.check.output}`;
  item.contextValue = `change.${change.state}`;
  return item;
}

function fileItem(node: Extract<Node, { kind: "file" }>): TreeItem {
  const uri = Uri.parse(node.file.new_uri ?? node.file.uri);
  const item = new TreeItem(workspace.asRelativePath(uri), TreeItemCollapsibleState.None);
  item.id = `file/${node.change.id}/${node.file.uri}`;
  item.resourceUri = uri;
  item.iconPath = ThemeIcon.File;
  item.description = node.file.kind === "edit" ? "" : node.file.kind;
  item.contextValue = "file";
  item.command = { command: "kaaj.ui.showChange", title: "Show change", arguments: [node] };
  return item;
}
