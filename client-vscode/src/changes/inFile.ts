// Proposed changes in the files that they touch: a mark at each hunk, what a single line would become, the rest on hover.
import { Hover, languages, MarkdownString, Range, ThemeColor, Uri, window, workspace, type TextDocument } from "vscode";
import type { Kaaj, Owned } from "../kaaj";
import { changesOf } from "../state/projection";
import { diffText, ghost, hunksInFile, touched, type HunkInFile } from "./inFileText";

/** Milliseconds in which several keystrokes become one redraw. */
const SETTLE = 100;

export function registerInFile({ store }: Kaaj): Owned[] {
  const marks = window.createTextEditorDecorationType({
    isWholeLine: true,
    borderStyle: "solid",
    borderWidth: "0 0 0 2px",
    borderColor: new ThemeColor("editorGutter.modifiedBackground"),
    overviewRulerColor: new ThemeColor("editorOverviewRuler.modifiedForeground"),
  });
  const ghosts = window.createTextEditorDecorationType({
    after: { margin: "0 0 0 2em", color: new ThemeColor("editorGhostText.foreground") },
  });

  const hunksOf = (document: TextDocument): HunkInFile[] => {
    if (document.uri.scheme !== "file") return [];
    const uri = document.uri.toString();
    return changesOf(store.state)
      .filter(({ state }) => state === "proposed")
      .flatMap((change) => {
        const file = change.files.find((one) => Uri.parse(one.uri).toString() === uri);
        return file ? hunksInFile(document.getText(), change, file) : [];
      });
  };

  /** Editors that have something drawn in them. */
  const drawn = new WeakSet<object>();
  const draw = (): void => {
    for (const editor of window.visibleTextEditors) {
      const { document } = editor;
      const hunks = hunksOf(document);
      if (hunks.length === 0 && !drawn.has(editor)) continue;
      if (hunks.length > 0) drawn.add(editor);
      else drawn.delete(editor);
      const last = document.lineCount - 1;
      const marked = hunks.filter(({ span }) => span.count > 0);
      editor.setDecorations(
        marks,
        marked.map(({ span }) => new Range(span.first, 0, Math.min(touched(span)[1], last), 0)),
      );
      editor.setDecorations(
        ghosts,
        marked.flatMap(({ hunk, span }) => {
          const contentText = ghost(hunk);
          if (contentText === undefined) return [];
          const { end } = document.lineAt(Math.min(span.first, last)).range;
          return [{ range: new Range(end, end), renderOptions: { after: { contentText } } }];
        }),
      );
    }
  };
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(draw, SETTLE);
  };

  return [
    marks,
    ghosts,
    { dispose: () => { clearTimeout(timer); } },
    store.onChange(soon),
    window.onDidChangeVisibleTextEditors(soon),
    workspace.onDidChangeTextDocument(({ document }) => {
      if (window.visibleTextEditors.some((editor) => editor.document === document)) soon();
    }),
    languages.registerHoverProvider(
      { scheme: "file" },
      {
        provideHover(document, { line }): Hover | undefined {
          const here = hunksOf(document).filter(({ span }) => {
            const [first, last] = touched(span);
            return first <= line && line <= last;
          });
          if (here.length === 0) return undefined;
          // Not trusted: what is in it is shown, and nothing of it can be run.
          const texts = here.map(({ hunk }) => new MarkdownString("Kaaj proposes").appendCodeblock(diffText(hunk), "diff"));
          return new Hover(texts);
        },
      },
    ),
  ];
}
