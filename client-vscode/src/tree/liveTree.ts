// Rows as a tree view that redraws only what has changed.
import {
  EventEmitter,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  Uri,
  type TreeDataProvider,
} from "vscode";
import type { UiCommand } from "../kaaj";
import { redraw, type Row } from "./row";

/** What VS Code holds of a row: it stays the same while the row behind it changes. */
export interface Node<About> {
  readonly id: string;
  row: Row<About>;
}

export class LiveTree<About> implements TreeDataProvider<Node<About>> {
  private readonly changed = new EventEmitter<Node<About>[] | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private rows: readonly Row<About>[] = [];
  private nodes = new Map<string, Node<About>>();
  private parents = new Map<string, string>();

  /** `opened` is run by a click on a row that opens something, with the row's id. */
  constructor(private readonly opened: UiCommand) {}

  show(rows: readonly Row<About>[]): void {
    const what = redraw(this.rows, rows);
    this.rows = rows;
    const nodes = new Map<string, Node<About>>();
    const parents = new Map<string, string>();
    const walk = (level: readonly Row<About>[], parent: string | undefined): void => {
      for (const row of level) {
        const node = this.nodes.get(row.id) ?? { id: row.id, row };
        node.row = row;
        nodes.set(row.id, node);
        if (parent !== undefined) parents.set(row.id, parent);
        walk(row.children ?? [], row.id);
      }
    };
    walk(rows, undefined);
    this.nodes = nodes;
    this.parents = parents;
    if (what === "all") this.changed.fire(undefined);
    else if (what.length > 0) this.changed.fire(what.flatMap((id) => this.find(id) ?? []));
  }

  find(id: string): Node<About> | undefined {
    return this.nodes.get(id);
  }

  getChildren(node?: Node<About>): Node<About>[] {
    return (node ? (node.row.children ?? []) : this.rows).flatMap(({ id }) => this.find(id) ?? []);
  }

  getParent(node: Node<About>): Node<About> | undefined {
    const parent = this.parents.get(node.id);
    return parent === undefined ? undefined : this.find(parent);
  }

  getTreeItem({ row }: Node<About>): TreeItem {
    const item = new TreeItem(row.label, collapsible(row));
    item.id = row.id;
    item.iconPath = row.icon === "file" ? ThemeIcon.File : themeIcon(row);
    item.tooltip = row.tooltip ?? row.label;
    item.contextValue = row.context;
    item.accessibilityInformation = { label: row.spoken };
    if (row.description) item.description = row.description;
    if (row.resource !== undefined) item.resourceUri = Uri.parse(row.resource);
    if (row.opens) item.command = { command: this.opened, title: "Open", arguments: [row.id] };
    return item;
  }

  dispose(): void {
    this.changed.dispose();
  }
}

function themeIcon<About>({ icon, color }: Row<About>): ThemeIcon {
  return color === undefined ? new ThemeIcon(icon) : new ThemeIcon(icon, new ThemeColor(color));
}

function collapsible<About>({ children, open }: Row<About>): TreeItemCollapsibleState {
  if (!children?.length) return TreeItemCollapsibleState.None;
  return open ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
}
