// What can be done with the to-do list. Each edit sends the whole list; what becomes of it comes back as an event.
import { commands, window, workspace, type TreeView } from "vscode";
import type { Review } from "../changes/review";
import { register, type Kaaj, type Owned } from "../kaaj";
import { inert } from "../plainText";
import type { StartArgument, TodoItem } from "../protocol.gen";
import type { LiveTree, Node } from "../tree/liveTree";
import { edited, idle, itemIds, listToRun, TITLE_MAX, type ListEdit } from "./todoEdits";
import type { ShownTask, TodoAbout } from "./todoRows";

type TodoNode = Node<TodoAbout>;
/** A row of the tree, `{focused: true}` from a key pressed in the tree, nothing from the palette. */
type Given = TodoNode | { readonly focused: true } | undefined;

interface Parts {
  readonly review: Review;
  readonly tree: LiveTree<TodoAbout>;
  readonly view: TreeView<TodoNode>;
  readonly editing: TodoEditing;
  readonly shown: () => ShownTask | undefined;
}

/** Edits of the list that is shown, one after the other, each made of the list as it is then. */
export class TodoEditing {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly server: Kaaj["server"],
    private readonly shown: () => ShownTask | undefined,
  ) {}

  /** Rejects in the server's words. */
  async apply(edit: ListEdit): Promise<void> {
    const turn = this.last.then(() => this.send(edit));
    this.last = turn.catch(() => undefined);
    await turn;
  }

  private async send(edit: ListEdit): Promise<void> {
    const task = this.shown()?.task;
    if (!task) throw new Error("There is no to-do list yet.");
    const items = edited(task.todo, edit);
    if (!idle(task.todo, items)) await this.server.run("kaaj.todo", { task: task.id, items });
  }
}

export function registerTodoCommands(
  { server }: Kaaj,
  { review, tree, view, editing, shown }: Parts,
  choose: (task: string | undefined) => void,
): Owned[] {
  /** The items that are meant: the row with what is selected along with it, or what is selected. */
  const meant = async (given: Given, more?: readonly TodoNode[]): Promise<TodoItem[]> => {
    // A key in the tree acts on the row that has the focus, which VS Code does not tell: so it becomes the selection.
    if (given && "focused" in given) await commands.executeCommand("list.selectAndPreserveFocus");
    const nodes = given && "row" in given ? (more?.length ? more : [given]) : view.selection;
    const ids = itemIds(nodes.map(({ row }) => row.about));
    const items = shown()?.task.todo.filter(({ id }) => ids.includes(id)) ?? [];
    return items.length > 0 ? items : pickItem(shown());
  };
  const editItems =
    (kind: "remove" | "skip" | "unskip" | "only" | "up" | "down") =>
    async (given: Given, more?: readonly TodoNode[]): Promise<void> => {
      const ids = (await meant(given, more)).map(({ id }) => id);
      if (ids.length > 0) await editing.apply({ kind, ids });
    };
  /** A new task in the session of the ended one, which begins with its list. */
  const run = async (only?: readonly string[]): Promise<void> => {
    const task = shown()?.task;
    if (!task) return;
    const titles = task.todo.filter(({ id }) => only?.includes(id)).map(({ title }) => title);
    const argument: StartArgument = {
      prompt: only ? `Do this item of the plan only: ${titles.join("; ")}` : "Do what is left of the plan.",
      session: task.session,
      todo: listToRun(task.todo, only),
    };
    // Who runs a plan wants it done, also where the setting is to plan first.
    if (workspace.getConfiguration("kaaj").get("mode") === "plan") argument.mode = "ask";
    await server.run("kaaj.start", argument);
    choose(undefined);
  };

  return [
    register("kaaj.ui.openTodoPart", async (id: string) => {
      const about = tree.find(id)?.row.about;
      if (about?.kind !== "part") return;
      if (about.check) await commands.executeCommand("kaaj.ui.showCheck", { change: about.change.id });
      else await review.show(about, true);
    }),
    register("kaaj.ui.showTask", (task: string | undefined) => {
      choose(task);
    }),
    register("kaaj.ui.todoAdd", async (given?: Given) => {
      const node = given && "row" in given ? given : view.selection[0];
      const about = node?.row.about;
      const title = await askTitle("Kaaj: new to-do item", "What is to be done?", "");
      if (title === undefined) return;
      await editing.apply({ kind: "add", title, ...(about?.kind === "item" ? { after: about.item.id } : {}) });
    }),
    register("kaaj.ui.todoRename", async (given?: Given) => {
      const [item] = await meant(given);
      if (!item) return;
      const title = await askTitle("Kaaj: to-do item", "What is to be done?", item.title);
      if (title !== undefined) await editing.apply({ kind: "rename", id: item.id, title });
    }),
    register("kaaj.ui.todoRemove", editItems("remove")),
    register("kaaj.ui.todoSkip", editItems("skip")),
    register("kaaj.ui.todoUnskip", editItems("unskip")),
    register("kaaj.ui.todoUp", editItems("up")),
    register("kaaj.ui.todoDown", editItems("down")),
    register("kaaj.ui.todoOnly", async (given?: Given, more?: readonly TodoNode[]) => {
      const ids = (await meant(given, more)).map(({ id }) => id);
      if (ids.length === 0) return;
      if (shown()?.task.status === "running") await editing.apply({ kind: "only", ids });
      else await run(ids);
    }),
    register("kaaj.ui.todoRun", () => run()),
  ];
}

async function askTitle(title: string, prompt: string, value: string): Promise<string | undefined> {
  const given = await window.showInputBox({
    title,
    prompt,
    value,
    validateInput: (text) => {
      if (!text.trim()) return "Say what is to be done.";
      return text.length > TITLE_MAX ? `At most ${TITLE_MAX} characters.` : undefined;
    },
  });
  return given?.trim();
}

async function pickItem(shown: ShownTask | undefined): Promise<TodoItem[]> {
  const items = shown?.task.todo ?? [];
  if (items.length === 0) window.setStatusBarMessage("Kaaj: there is no to-do list yet", 5000);
  if (items.length === 0) return [];
  const rows = items.map((item) => ({ label: inert(item.title, 100), description: item.status, item }));
  const picked = await window.showQuickPick(rows, { title: "Kaaj: which item?" });
  return picked ? [picked.item] : [];
}
