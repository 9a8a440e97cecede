// @ts-check
// What can only be seen from inside of VS Code: commands, configuration, diagnostics, documents, the undo stack.
const assert = require("node:assert");
const path = require("node:path");
const vscode = require("vscode");
const { runAll, test, until } = require("./suite.js");

const EXTENSION = "kaaj.kaaj";
const folder = () => {
  const first = vscode.workspace.workspaceFolders?.[0];
  assert(first, "a folder is open");
  return first.uri;
};
/** @param {string} name */
const open = async (name) => vscode.workspace.openTextDocument(vscode.Uri.joinPath(folder(), name));
/** @param {string} command @param {object} argument */
const ask = async (command, argument) => vscode.commands.executeCommand(command, argument);
/** @param {string} session */
const snapshot = async (session) => ask("kaaj.snapshot", { session });
const own = () => {
  const found = vscode.extensions.getExtension(EXTENSION);
  assert(found, `${EXTENSION} is installed`);
  return found;
};

/** Start a task, wait until its change is proposed, and accept it whole. @param {string} prompt */
const applied = async (prompt) => {
  const { session } = await ask("kaaj.start", { prompt });
  const change = await until("a proposed change", async () =>
    (await snapshot(session)).changes.find((/** @type {any} */ one) => one.state === "proposed"),
  );
  const { state } = await ask("kaaj.accept", { change: change.id, digest: change.digest });
  assert.equal(state, "applied");
  return change;
};

test("the extension activates", async () => {
  await own().activate();
  assert(own().isActive);
});

test("the server answers", async () => {
  await until("the server's commands", async () => (await vscode.commands.getCommands(true)).includes("kaaj.snapshot"));
  const { sessions } = await ask("kaaj.snapshot", {});
  assert.deepEqual(sessions, []);
});

test("every contributed command is registered, and none has the name of one of the server's", async () => {
  const contributed = own().packageJSON.contributes.commands.map((/** @type {any} */ one) => one.command);
  assert.equal(new Set(contributed).size, contributed.length);
  const registered = await vscode.commands.getCommands(true);
  assert.deepEqual(contributed.filter((/** @type {string} */ id) => !registered.includes(id)), []);
  const server = ["start", "cancel", "accept", "reject", "undo", "todo", "snapshot", "fix", "forget"];
  assert.deepEqual(contributed.filter((/** @type {string} */ id) => server.includes(id.replace("kaaj.", ""))), []);
});

test("every command of a menu is contributed", async () => {
  const { commands, menus } = own().packageJSON.contributes;
  const contributed = new Set(commands.map((/** @type {any} */ one) => one.command));
  const used = Object.values(menus).flat().map((/** @type {any} */ one) => one.command).filter(Boolean);
  assert.deepEqual(used.filter((id) => !contributed.has(id)), []);
});

test("every setting has a default that its own rules allow, and a description", async () => {
  const contributed = own().packageJSON.contributes.configuration;
  const properties = Object.assign({}, ...[contributed].flat().map((one) => one.properties));
  for (const [name, rule] of Object.entries(properties)) {
    assert(rule.description || rule.markdownDescription, `${name} is described`);
    const value = vscode.workspace.getConfiguration().inspect(name)?.defaultValue;
    const kind = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
    const allowed = [rule.type].flat().map((type) => (type === "integer" ? "number" : type));
    assert(allowed.includes(kind), `${name}: ${JSON.stringify(value)} is none of ${allowed}`);
    if (rule.enum) assert(rule.enum.includes(value), `${name}: ${value} is none of ${rule.enum}`);
  }
});

test("a setting that is changed reaches the running server", async () => {
  const settings = vscode.workspace.getConfiguration("kaaj");
  await settings.update("mode", "plan", vscode.ConfigurationTarget.Global);
  await until("the server is in mode plan", async () => (await ask("kaaj.snapshot", {})).mode === "plan");
  await settings.update("mode", undefined, vscode.ConfigurationTarget.Global);
  await until("the server is in mode ask", async () => (await ask("kaaj.snapshot", {})).mode === "ask");
});

test("an applied change is one step of the editor's undo", async () => {
  const document = await open("cart.py");
  await vscode.window.showTextDocument(document);
  const before = document.getText();
  await applied("sum the prices, count them rightly");
  const after = before.replace("result = price", "result += price").replace("len(prices) + 1", "len(prices)");
  await until("the change stands in the buffer", () => document.getText() === after);
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand("undo");
  await until("one undo takes both hunks back", () => document.getText() === before);
  await vscode.commands.executeCommand("redo");
  await until("one redo brings both again", () => document.getText() === after);
  await vscode.commands.executeCommand("undo");
});

test("the problems of other extensions reach the model", async () => {
  const problems = vscode.languages.createDiagnosticCollection("woollint");
  try {
    const { uri } = await open("notes.txt");
    const problem = new vscode.Diagnostic(new vscode.Range(1, 0, 1, 6), "the wool is blue", vscode.DiagnosticSeverity.Warning);
    problem.source = "woollint";
    problems.set(uri, [problem]);
    const { session } = await ask("kaaj.start", { prompt: "which problems are there?" });
    await until("the task has ended", async () =>
      (await snapshot(session)).tasks.every((/** @type {any} */ one) => one.status !== "running"),
    );
  } finally {
    problems.dispose();
  }
});

test("nothing opens by itself and the focus stays", async () => {
  const document = await open("notes.txt");
  await vscode.window.showTextDocument(document);
  /** @type {string[]} */
  const seen = [];
  const listening = [
    vscode.window.onDidChangeActiveTextEditor((editor) => seen.push(`editor ${editor?.document.uri}`)),
    vscode.window.tabGroups.onDidChangeTabs(({ opened }) => seen.push(...opened.map(({ label }) => `tab ${label}`))),
  ];
  try {
    const { session } = await ask("kaaj.start", { prompt: "propose something" });
    const change = await until("a proposed change", async () =>
      (await snapshot(session)).changes.find((/** @type {any} */ one) => one.state === "proposed"),
    );
    await ask("kaaj.reject", { change: change.id, digest: change.digest });
    await until("the task has ended", async () =>
      (await snapshot(session)).tasks.every((/** @type {any} */ one) => one.status !== "running"),
    );
    assert.deepEqual(seen, []);
    assert.equal(path.basename(vscode.window.activeTextEditor?.document.fileName ?? ""), "notes.txt");
  } finally {
    for (const one of listening) one.dispose();
  }
});

exports.run = runAll;
