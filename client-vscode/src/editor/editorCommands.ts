// Tasks that begin at a place in a text: edit, explain, write tests, fix.
import { commands, languages, window, type DocumentSymbol, type SymbolInformation, type TextEditor } from "vscode";
import { register, type Kaaj, type Owned } from "../kaaj";
import type { Diagnostic, Range } from "../protocol.gen";
import { innermost } from "./place";

/** The server knows these two by their words, as its own code actions have them. */
const EXPLAIN = "Explain what the selected code does.";
const TESTS = "Write tests for the selected code.";
/** Problems of a file that are handed along; a generated file may have thousands. */
const PROBLEMS_MAX = 200;

export function registerEditorCommands({ server }: Kaaj): Owned[] {
  return [
    register("kaaj.ui.newTask", async () => {
      const editor = fileEditor();
      const prompt = await askPrompt("Kaaj: new task", "What should be done?");
      if (prompt === undefined) return;
      const { uri, range } = editor ? placeOf(editor) : {};
      await server.run("kaaj.start", { prompt, ...(uri ? { uri } : {}), ...(range ? { range } : {}) });
    }),
    register("kaaj.ui.edit", async () => {
      const editor = needed();
      if (!editor) return;
      const selected = !editor.selection.isEmpty;
      const place = { uri: editor.document.uri.toString(), range: selected ? plain(editor.selection) : lineOf(editor) };
      const prompt = await askPrompt("Kaaj: edit", selected ? "What should be done with the selection?" : "What should be done here?");
      if (prompt !== undefined) await server.run("kaaj.start", { prompt, ...place });
    }),
    register("kaaj.ui.explain", async () => {
      const editor = needed();
      if (!editor) return;
      const uri = editor.document.uri.toString();
      const range = await around(editor);
      // The answer is words: they are in the chat, which is shown beside and takes no focus.
      await commands.executeCommand("kaaj.chat.focus", { preserveFocus: true });
      await server.run("kaaj.start", { prompt: EXPLAIN, uri, range });
    }),
    register("kaaj.ui.tests", async () => {
      const editor = needed();
      if (!editor) return;
      const uri = editor.document.uri.toString();
      await server.run("kaaj.start", { prompt: TESTS, uri, range: await around(editor) });
    }),
    register("kaaj.ui.fixFile", async () => {
      const editor = needed();
      if (!editor) return;
      const { document } = editor;
      const problems = languages.getDiagnostics(document.uri).slice(0, PROBLEMS_MAX);
      if (problems.length === 0) {
        window.setStatusBarMessage("Kaaj: the editor knows no problem in this file", 5000);
        return;
      }
      const end = document.lineAt(document.lineCount - 1).range.end;
      const range = { start: { line: 0, character: 0 }, end: { line: end.line, character: end.character } };
      const diagnostics = problems.map(
        ({ range: at, message, severity, source }): Diagnostic => ({
          range: plain(at),
          message,
          severity: severity + 1,
          ...(source === undefined ? {} : { source }),
        }),
      );
      await server.run("kaaj.fix", { uri: document.uri.toString(), range, diagnostics });
    }),
  ];
}

function fileEditor(): TextEditor | undefined {
  const editor = window.activeTextEditor;
  return editor?.document.uri.scheme === "file" ? editor : undefined;
}

function needed(): TextEditor | undefined {
  const editor = fileEditor();
  if (!editor) window.setStatusBarMessage("Kaaj: open a file first", 5000);
  return editor;
}

function placeOf(editor: TextEditor): { uri: string; range?: Range } {
  const uri = editor.document.uri.toString();
  return editor.selection.isEmpty ? { uri } : { uri, range: plain(editor.selection) };
}

/** The selection; without one, what the cursor stands in: a function, a class; else its line. */
async function around(editor: TextEditor): Promise<Range> {
  if (!editor.selection.isEmpty) return plain(editor.selection);
  const uri = editor.document.uri;
  const found = await commands.executeCommand<(DocumentSymbol | SymbolInformation)[] | undefined>(
    "vscode.executeDocumentSymbolProvider",
    uri,
  );
  const ranges = (rows: readonly (DocumentSymbol | SymbolInformation)[]): Range[] =>
    rows.flatMap((row) => ("location" in row ? [plain(row.location.range)] : [plain(row.range), ...ranges(row.children)]));
  return innermost(ranges(found ?? []), plain(editor.selection).start) ?? lineOf(editor);
}

function lineOf(editor: TextEditor): Range {
  return plain(editor.document.lineAt(editor.selection.active.line).range);
}

interface Spot {
  readonly line: number;
  readonly character: number;
}

function plain({ start, end }: { readonly start: Spot; readonly end: Spot }): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

async function askPrompt(title: string, prompt: string): Promise<string | undefined> {
  const text = await window.showInputBox({
    title,
    prompt,
    validateInput: (given) => (given.trim() ? undefined : "Say what should be done."),
    ignoreFocusOut: true,
  });
  return text?.trim();
}
