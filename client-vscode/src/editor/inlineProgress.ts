// A quiet word at the end of the line from which a running task was started.
import { Range, ThemeColor, Uri, window, workspace, type TextEditor } from "vscode";
import type { Kaaj, Owned } from "../kaaj";
import { tasksOf } from "../state/projection";
import { followed } from "./place";
import { progressText } from "./progressText";

interface Place {
  readonly uri: string;
  line: number;
}

export function registerInlineProgress({ store }: Kaaj): Owned[] {
  const words = window.createTextEditorDecorationType({
    after: { margin: "0 0 0 2em", color: new ThemeColor("editorCodeLens.foreground"), fontStyle: "italic" },
    isWholeLine: true,
  });
  /** By task. */
  const places = new Map<string, Place>();

  const draw = (): void => {
    if (places.size === 0) return;
    const tasks = new Map(tasksOf(store.state).map((task) => [task.id, task]));
    const proposed = [...store.state.values()].flatMap(({ changes }) => changes.filter(({ state }) => state === "proposed"));
    const texts = [...places].map(([id, place]) => {
      const mine = proposed.filter(({ task }) => task === id);
      // Where the change itself is drawn in the file, nothing more need be said.
      const seen = mine.some(({ files }) => files.some((file) => Uri.parse(file.uri).toString() === place.uri));
      return [place, seen ? undefined : progressText(tasks.get(id), mine.length > 0)] as const;
    });
    for (const editor of window.visibleTextEditors) {
      const uri = editor.document.uri.toString();
      const here = texts.flatMap(([place, text]) => (place.uri === uri && text !== undefined ? [decoration(editor, place.line, text)] : []));
      if (texts.some(([place]) => place.uri === uri)) editor.setDecorations(words, here);
    }
    for (const [id] of places) {
      if (tasks.get(id)?.status !== "running") places.delete(id);
    }
  };

  return [
    words,
    store.onEvent((event) => {
      if (event.type !== "task_started" || event.uri === undefined) return;
      const uri = Uri.parse(event.uri).toString();
      const editor = window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri);
      if (!editor) return;
      places.set(event.task, { uri, line: editor.selection.start.line });
      draw();
    }),
    store.onChange(draw),
    window.onDidChangeVisibleTextEditors(draw),
    workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
      const uri = document.uri.toString();
      const here = [...places.values()].filter((place) => place.uri === uri);
      if (here.length === 0) return;
      // Several edits of one moment come from the end of the text to its beginning.
      for (const { range, text } of contentChanges) {
        const edit = { first: range.start.line, last: range.end.line, newLines: text.split("\n").length - 1 };
        for (const place of here) place.line = followed(place.line, edit);
      }
      draw();
    }),
  ];
}

function decoration({ document }: TextEditor, line: number, text: string): { range: Range; renderOptions: object } {
  const { end } = document.lineAt(Math.min(line, document.lineCount - 1)).range;
  return { range: new Range(end, end), renderOptions: { after: { contentText: text } } };
}
