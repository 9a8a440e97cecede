// What can be done with a change, a file of it, or a hunk: in the tree, in the title of a diff, by a key, by the palette.
import { Uri, window, type TreeView } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import { inert, unmarked } from "../plainText";
import type { Change, ChangeResult, FileChange } from "../protocol.gen";
import { changesOf } from "../state/projection";
import type { LiveTree, Node } from "../tree/liveTree";
import { changeById, decision, plural, targetOf, type Part } from "./changeParts";
import type { ChangeAbout } from "./changeRows";
import { hunkAt, spansIn } from "./changeText";
import type { CheckOutput } from "./checkOutput";
import { SCHEME, type Review } from "./review";
import { MERGE_DETAIL, mergeQuestion, staleFiles, undoing } from "./undoing";

/** What another part of the client, or a keybinding, may hand to these commands in place of a row. */
export interface PartIds {
  readonly change: string;
  /** URI, as the change has it. */
  readonly file?: string;
  readonly hunk?: string;
}

interface Parts {
  readonly review: Review;
  readonly output: CheckOutput;
  readonly tree: LiveTree<ChangeAbout>;
  readonly view: TreeView<Node<ChangeAbout>>;
}

type Wanted = Change["state"] | undefined;
type Given = Node<Partial<Part>> | PartIds | Uri | undefined;

export function registerChangeCommands({ server, store }: Kaaj, { review, output, tree, view }: Parts): Owned[] {
  const all = (): readonly Change[] => changesOf(store.state);

  /** What a command is about: what it was given, else what is selected where the person is, else the one that fits. */
  const partOf = async (given: Given, wanted: Wanted): Promise<Part | undefined> => {
    const whole = given === undefined || (given instanceof Uri && given.scheme === "multi-diff-editor") ? wholeAtHand(review) : undefined;
    if (whole && (!wanted || whole.state === wanted)) return { change: whole };
    if (given instanceof Uri) return review.partAt(given) ?? fileAt(all(), given);
    const part = given && ("row" in given ? withChange(given.row.about) : byIds(all(), given));
    if (part) return part;
    const [selected] = view.visible ? view.selection : [];
    if (selected && (!wanted || selected.row.about.change.state === wanted)) return selected.row.about;
    return pickChange(all(), wanted);
  };

  const accept = async (part: Part | undefined): Promise<void> => {
    if (part) say(await server.run("kaaj.accept", decision(part)), ["applied", "proposed"]);
  };
  const reject = async (part: Part | undefined, ask: boolean): Promise<void> => {
    if (!part) return;
    const reason = ask ? await askReason(part) : "";
    if (reason === undefined) return;
    say(await server.run("kaaj.reject", decision(part, reason)), ["rejected", "proposed"]);
  };
  const undo = async (part: Part): Promise<void> => {
    try {
      say(await server.run("kaaj.undo", undoing(part)), ["undone"]);
    } catch (error) {
      const edited = staleFiles(error);
      if (edited.length === 0) throw error;
      if (await wantsMerge(edited)) await merge(part);
    }
  };
  /** What leads back is shown at once: it is a proposal, to be decided on. */
  const merge = async (part: Part): Promise<void> => {
    const answer = await server.run("kaaj.undo", { ...undoing(part), merge: true });
    say(answer, ["proposed"]);
    const proposal = changeById(all(), answer.change);
    if (proposal) await review.show({ change: proposal }, false);
  };
  const here = (given?: Uri): Part | undefined => {
    const part = partHere(all(), review, given);
    if (!part) window.setStatusBarMessage("Kaaj: there is no hunk of a proposed change at the cursor", 5000);
    return part;
  };

  /** Of the diff in whose title it was asked for, else of the editor at hand. */
  const filePart = async (given: Given): Promise<Part | undefined> =>
    partOf(given ?? window.activeTextEditor?.document.uri, "proposed");

  return [
    register("kaaj.ui.openPart", async (id: string) => {
      const about = tree.find(id)?.row.about;
      if (about?.check) await output.show(about.change, true);
      else if (about) await review.show(about, true);
    }),
    register("kaaj.ui.showChange", async (given?: Given) => {
      const part = await partOf(given, undefined);
      if (part) await review.show(part, false);
    }),
    register("kaaj.ui.showCheck", async (given?: Given) => {
      const part = await partOf(given, undefined);
      if (part) await output.show(part.change, false);
    }),
    register("kaaj.ui.accept", async (given?: Given) => accept(await partOf(given, "proposed"))),
    register("kaaj.ui.reject", async (given?: Given) => {
      const part = await partOf(given, "proposed");
      await reject(part, part?.hunk === undefined);
    }),
    register("kaaj.ui.acceptFile", async (given?: Given) => accept(await filePart(given))),
    register("kaaj.ui.rejectFile", async (given?: Given) => reject(await filePart(given), true)),
    register("kaaj.ui.acceptHunk", async (given?: Uri) => accept(here(given))),
    register("kaaj.ui.rejectHunk", async (given?: Uri) => reject(here(given), false)),
    register("kaaj.ui.undo", async (given?: Given) => {
      const part = await partOf(given, "applied");
      if (part) await undo(part);
    }),
    register("kaaj.ui.undoMerge", async (given?: Given) => {
      const part = await partOf(given, "applied");
      if (part) await merge(part);
    }),
  ];
}

/** The change all of whose files are seen in the tab at hand. */
export function wholeAtHand(review: Review): Change | undefined {
  const tab = window.tabGroups.activeTabGroup.activeTab;
  return tab && review.wholeAt(tab.label);
}

function withChange({ change, file, hunk }: Partial<Part>): Part | undefined {
  if (!change) return undefined;
  return { change, ...(file ? { file } : {}), ...(hunk ? { hunk } : {}) };
}

function byIds(changes: readonly Change[], ids: PartIds): Part | undefined {
  const change = changeById(changes, ids.change);
  const file = change?.files.find(({ uri }) => uri === ids.file);
  return withChange({ ...(change ? { change } : {}), ...hunkOf(file, ids.hunk) });
}

function hunkOf(file: FileChange | undefined, id: string | undefined): Pick<Part, "file" | "hunk"> {
  const hunk = file?.hunks.find((one) => one.id === id);
  return { ...(file ? { file } : {}), ...(hunk ? { hunk } : {}) };
}

/** The newest proposal that touches a file of the workspace. */
function fileAt(changes: readonly Change[], uri: Uri): Part | undefined {
  const name = uri.toString();
  for (const change of changes.filter(({ state }) => state === "proposed")) {
    const file = change.files.find((one) => [one.uri, targetOf(one)].some((own) => Uri.parse(own).toString() === name));
    if (file) return { change, file };
  }
  return undefined;
}

/** The hunk at the cursor, in a diff of ours or in the file itself; undefined where none is there. */
function partHere(changes: readonly Change[], review: Review, given?: Uri): Part | undefined {
  const editor = window.activeTextEditor;
  if (!editor) return undefined;
  const { document, selection } = editor;
  const line = selection.active.line;
  if (document.uri.scheme === SCHEME) {
    const part = review.partAt(document.uri, line);
    return part?.hunk && part.change.state === "proposed" ? part : undefined;
  }
  if (given && given.toString() !== document.uri.toString()) return undefined;
  const part = fileAt(changes, document.uri);
  if (!part?.file) return undefined;
  const found = hunkOf(part.file, hunkAt(spansIn(document.getText(), part.file.hunks), line));
  return found.hunk ? { change: part.change, ...found } : undefined;
}

/** Empty where no reason was given, undefined where the person thought better of it. */
async function askReason({ change, file }: Part): Promise<string | undefined> {
  return window.showInputBox({
    title: file ? "Kaaj: reject this file's part of the change" : "Kaaj: reject the change",
    prompt: "Enter rejects. Say why, if you like: Kaaj will read it.",
    placeHolder: `Why? (may be left empty) · ${inert(unmarked(change.summary), 60)}`,
  });
}

async function wantsMerge(edited: readonly string[]): Promise<boolean> {
  const propose = "Propose a merge";
  const question = inert(mergeQuestion(edited), 500);
  return (await window.showWarningMessage(question, { modal: true, detail: MERGE_DETAIL }, propose)) === propose;
}

function say({ state, message }: ChangeResult, wanted: readonly Change["state"][]): void {
  if (wanted.includes(state)) window.setStatusBarMessage(`Kaaj: ${inert(message)}`, 5000);
  else void window.showWarningMessage(`Kaaj: ${inert(message, 500)}`);
}

/** `changes` newest first. The one that fits, or the one that the person picks of several. */
async function pickChange(changes: readonly Change[], wanted: Wanted): Promise<Part | undefined> {
  const fitting = changes.filter(({ files, state }) => files.length > 0 && (!wanted || state === wanted));
  if (fitting.length === 0) {
    window.setStatusBarMessage(wanted ? `Kaaj: no change is ${wanted}` : "Kaaj: there is no change yet", 5000);
  }
  const [first, ...more] = fitting;
  if (!first || more.length === 0) return first && { change: first };
  const rows = fitting.map((change) => ({
    label: inert(unmarked(change.summary), 100) || plural(change.files.length, "file"),
    description: change.state,
    detail: inert(change.files.map((file) => file.uri.slice(file.uri.lastIndexOf("/") + 1)).join(", ")),
    change,
  }));
  const picked = await window.showQuickPick(rows, { title: "Kaaj: which change?" });
  return picked && { change: picked.change };
}
