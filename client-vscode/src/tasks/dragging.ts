// Items of the to-do list are dragged to another place.
import { DataTransferItem, type DataTransfer, type TreeDragAndDropController } from "vscode";
import { showFailure } from "../kaaj";
import type { Node } from "../tree/liveTree";
import type { TodoEditing } from "./todoCommands";
import { itemIds } from "./todoEdits";
import type { TodoAbout } from "./todoRows";

const KIND = "application/vnd.code.tree.kaaj.todo";

export class ItemDragging implements TreeDragAndDropController<Node<TodoAbout>> {
  readonly dropMimeTypes = [KIND];
  readonly dragMimeTypes = [KIND];

  constructor(private readonly editing: TodoEditing) {}

  handleDrag(source: readonly Node<TodoAbout>[], transfer: DataTransfer): void {
    const ids = itemIds(source.map(({ row }) => row.about));
    if (ids.length > 0) transfer.set(KIND, new DataTransferItem(ids));
  }

  async handleDrop(target: Node<TodoAbout> | undefined, transfer: DataTransfer): Promise<void> {
    const ids: unknown = transfer.get(KIND)?.value;
    if (!Array.isArray(ids)) return;
    // What is dropped on a hunk lands nowhere: it is not clear what was meant.
    const [at] = target ? itemIds([target.row.about]) : [];
    if (target && at === undefined) return;
    try {
      await this.editing.apply({ kind: "move", ids: ids.map(String), ...(at === undefined ? {} : { at }) });
    } catch (error) {
      void showFailure(error);
    }
  }
}
