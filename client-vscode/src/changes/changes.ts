// Changes: their view, their diffs in VS Code's own diff editor, the output of their checks.
import { commands, window, workspace, Uri } from "vscode";
import type { Kaaj, Owned } from "../kaaj";
import { changesOf } from "../state/projection";
import { LiveTree } from "../tree/liveTree";
import { registerChangeCommands, wholeAtHand } from "./changeCommands";
import { changeById } from "./changeParts";
import { changeRows, type ChangeAbout } from "./changeRows";
import { CHECK_SCHEME, CheckOutput } from "./checkOutput";
import { registerInFile } from "./inFile";
import { Review, SCHEME } from "./review";

/** A file's name for a person. */
export function nameOf(uri: string): string {
  return workspace.asRelativePath(Uri.parse(uri));
}

export function createReview({ store }: Kaaj): Review {
  const review = new Review(
    () => changesOf(store.state),
    (decidable) => {
      void commands.executeCommand("setContext", "kaaj.decidableDiffs", decidable);
      tellWhole(review);
    },
  );
  return review;
}

/** Menus look whether the diff of a whole change is at hand, and is to be decided on. */
function tellWhole(review: Review): void {
  void commands.executeCommand("setContext", "kaaj.decidableWhole", wholeAtHand(review)?.state === "proposed");
}

export function registerChanges(kaaj: Kaaj, review: Review): Owned[] {
  const { store } = kaaj;
  const tree = new LiveTree<ChangeAbout>("kaaj.ui.openPart");
  const view = window.createTreeView("kaaj.changes", { treeDataProvider: tree, showCollapseAll: true });
  const output = new CheckOutput((id) => changeById(changesOf(store.state), id));
  const draw = (): void => {
    const changes = changesOf(store.state);
    tree.show(changeRows(changes, nameOf));
    const proposed = changes.filter(({ state }) => state === "proposed");
    // By path: in a remote window the editor knows a file by another URI than the extension. Menus and keys look here.
    const uris = proposed.flatMap((change) => change.files.map((file) => Uri.parse(file.uri)));
    const paths = [...new Set(uris.flatMap((uri) => [uri.path, uri.fsPath]))];
    void commands.executeCommand("setContext", "kaaj.proposed", proposed.length > 0);
    void commands.executeCommand("setContext", "kaaj.decidablePaths", paths);
    review.touch();
    output.touch();
  };
  draw();
  return [
    tree,
    view,
    review,
    output,
    store.onChange(draw),
    window.tabGroups.onDidChangeTabs(() => { tellWhole(review); }),
    window.tabGroups.onDidChangeTabGroups(() => { tellWhole(review); }),
    workspace.registerTextDocumentContentProvider(SCHEME, review),
    workspace.registerTextDocumentContentProvider(CHECK_SCHEME, output),
    workspace.onDidChangeTextDocument(({ document }) => {
      if (document.uri.scheme === "file") review.touch(document.uri);
    }),
    workspace.onDidRenameFiles(({ files }) => {
      for (const { oldUri, newUri } of files) [oldUri, newUri].forEach((uri) => { review.touch(uri); });
    }),
    workspace.onDidDeleteFiles(({ files }) => {
      for (const uri of files) review.touch(uri);
    }),
    workspace.onDidCloseTextDocument(({ uri }) => {
      if (uri.scheme === "file") review.touch(uri); // what was not saved is gone with it
      if (uri.scheme === SCHEME) review.forget(uri);
      if (uri.scheme === CHECK_SCHEME) output.forget(uri);
    }),
    ...registerInFile(kaaj),
    ...registerChangeCommands(kaaj, { review, output, tree, view }),
  ];
}
