// The view "Tasks": the tree, and what can be done in it.
import { window } from "vscode";
import type { Review } from "../changes/review";
import type { Kaaj, Owned } from "../kaaj";
import { registerCommands } from "./commands";
import { TaskTree } from "./taskTree";

export function registerTasks(kaaj: Kaaj, review: Review): Owned[] {
  const tree = new TaskTree();
  return [
    window.registerTreeDataProvider("kaaj.tasks", tree),
    kaaj.store.onChange((state) => {
      tree.show(state);
    }),
    ...registerCommands(kaaj, review),
  ];
}
