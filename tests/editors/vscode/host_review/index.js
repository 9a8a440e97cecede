// @ts-check
// A change as the diff editor has it, seen from inside of VS Code: virtual documents that nobody can write to.
const assert = require("node:assert");
const fs = require("node:fs");
const vscode = require("vscode");
const { runAll, test, until } = require("../host/suite.js");

const SCHEME = "kaaj-change";
const folder = () => {
  const first = vscode.workspace.workspaceFolders?.[0];
  assert(first, "a folder is open");
  return first.uri;
};
const cart = () => vscode.Uri.joinPath(folder(), "cart.py");
const onDisk = () => fs.readFileSync(cart().fsPath, "utf8");
/** @param {string} command @param {object} argument */
const ask = async (command, argument) => vscode.commands.executeCommand(command, argument);
/** The documents of diffs that are open. */
const sides = () => vscode.workspace.textDocuments.filter(({ uri }) => uri.scheme === SCHEME);
/** @param {"before" | "after"} which */
const side = (which) => sides().find(({ uri }) => JSON.parse(uri.query)[1] === which);
/** @param {string} text */
const mended = (text) => text.replace("result = price", "result += price").replace("len(prices) + 1", "len(prices)");

/** @type {any} */
let change;
/** @type {string} */
let session;

test("the window is a remote one, and the extension runs where the files are", async () => {
  assert(vscode.env.remoteName, "no remote name");
  const own = vscode.extensions.getExtension("kaaj.kaaj");
  assert(own, "Kaaj is there");
  await own.activate();
  assert.equal(own.extensionKind, vscode.ExtensionKind.Workspace);
  assert(fs.existsSync(cart().fsPath), "the file is on the extension's own machine");
});

test("a change is proposed", async () => {
  await until("the server's commands", async () => (await vscode.commands.getCommands(true)).includes("kaaj.snapshot"));
  ({ session } = await ask("kaaj.start", { prompt: "sum and count" }));
  change = await until("a proposed change", async () =>
    (await ask("kaaj.snapshot", { session })).changes.find((/** @type {any} */ one) => one.state === "proposed"),
  );
});

test("its diff is of two virtual documents, with the file's language", async () => {
  assert.deepEqual(sides(), []);
  await until("the diff", async () => {
    await ask("kaaj.ui.showChange", { change: change.id });
    return sides().length === 2;
  });
  assert.equal(side("before")?.getText(), onDisk());
  assert.equal(side("after")?.getText(), mended(onDisk()));
  for (const document of sides()) {
    assert.equal(document.languageId, "python");
    assert.equal(document.isUntitled, false);
    assert(document.uri.path.endsWith("/cart.py"), document.uri.path);
  }
  const tab = vscode.window.tabGroups.activeTabGroup.activeTab;
  assert(tab?.input instanceof vscode.TabInputTextDiff, "a diff is open");
  assert.equal(tab.input.original.scheme, SCHEME);
  assert.equal(tab.input.modified.scheme, SCHEME);
});

test("nobody can type into them", async () => {
  const before = onDisk();
  await vscode.commands.executeCommand("workbench.action.focusActiveEditorGroup");
  assert.equal(vscode.window.activeTextEditor?.document.uri.scheme, SCHEME);
  const texts = sides().map((document) => document.getText());
  await vscode.commands.executeCommand("type", { text: "mine" });
  assert.deepEqual(sides().map((document) => document.getText()), texts);
  assert.deepEqual(sides().filter((document) => document.isDirty), []);
  assert.equal(onDisk(), before);
});

test("they follow the file's unsaved text", async () => {
  const document = await vscode.workspace.openTextDocument(cart());
  const edit = new vscode.WorkspaceEdit();
  edit.insert(document.uri, new vscode.Position(0, 0), "# not saved\n");
  assert(await vscode.workspace.applyEdit(edit));
  await until("the left side", () => side("before")?.getText().startsWith("# not saved\n"));
  await until("the right side", () => side("after")?.getText() === mended(document.getText()));
});

test("applied, they show what was and what is; undone, what would be", async () => {
  const document = await vscode.workspace.openTextDocument(cart());
  const before = document.getText();
  const { changes } = await ask("kaaj.snapshot", { session });
  const now = changes.find((/** @type {any} */ one) => one.id === change.id);
  const { state } = await ask("kaaj.accept", { change: now.id, digest: now.digest });
  assert.equal(state, "applied");
  assert.equal(document.getText(), mended(before));
  await until("the left side", () => side("before")?.getText() === before);
  await until("the right side", () => side("after")?.getText() === mended(before));
  await ask("kaaj.undo", { change: change.id });
  await until("the text is as before", () => document.getText() === before);
  await until("the right side", () => side("after")?.getText() === mended(before));
  await until("the left side", () => side("before")?.getText() === before);
});

test("closed without saving, the file is as it was saved, and so is the diff", async () => {
  const document = await vscode.workspace.openTextDocument(cart());
  await vscode.window.showTextDocument(document, { preview: false });
  assert(document.getText().startsWith("# not saved\n"));
  await vscode.commands.executeCommand("workbench.action.revertAndCloseActiveEditor");
  const text = async () => (await vscode.workspace.openTextDocument(cart())).getText();
  await until("the file is as it was saved", async () => (await text()) === onDisk());
  await until("the right side", () => side("after")?.getText() === mended(onDisk()));
  await until("the left side", () => side("before")?.getText() === onDisk());
});

test("a diff of an earlier window says so", async () => {
  const query = JSON.stringify(["no-such-change", "after"]);
  const document = await vscode.workspace.openTextDocument(vscode.Uri.from({ scheme: SCHEME, path: "/cart.py", query }));
  assert.match(document.getText(), /earlier window/);
});

exports.run = runAll;
