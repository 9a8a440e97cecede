// The TextMate grammars of the editor's language extensions: which language a code block is in, and where its grammar is.
import { extensions, Uri, type Extension } from "vscode";

interface LanguageRow {
  readonly id?: string;
  readonly aliases?: readonly string[];
  readonly extensions?: readonly string[];
}
interface GrammarRow {
  readonly language?: string;
  readonly scopeName?: string;
  readonly path?: string;
  readonly injectTo?: readonly string[];
}

/** Names that models give to languages, beside those that the extensions know. */
const NAMES: Readonly<Record<string, string>> = {
  sh: "shellscript",
  bash: "shellscript",
  shell: "shellscript",
  zsh: "shellscript",
  console: "shellscript",
  golang: "go",
  js: "javascript",
  ts: "typescript",
  py: "python",
  rs: "rust",
  "c++": "cpp",
  "c#": "csharp",
  patch: "diff",
  docker: "dockerfile",
};

export class Grammars {
  private readonly languages = new Map<string, string>();
  private readonly scopes = new Map<string, string>();
  private readonly files = new Map<string, Uri>();
  private readonly injections = new Map<string, string[]>();

  constructor(all: readonly Extension<unknown>[] = extensions.all) {
    for (const { packageJSON, extensionUri } of all) {
      const { contributes } = packageJSON as {
        contributes?: { languages?: readonly LanguageRow[]; grammars?: readonly GrammarRow[] };
      };
      for (const language of contributes?.languages ?? []) this.addLanguage(language);
      for (const grammar of contributes?.grammars ?? []) this.addGrammar(grammar, extensionUri);
    }
  }

  /** The scope of a language by any of its names; undefined where no extension has a grammar for it. */
  scopeOf(name: string): string | undefined {
    const plain = name.trim().toLowerCase();
    const known = NAMES[plain];
    const id = known !== undefined && this.scopes.has(known) ? known : this.languages.get(plain);
    return this.scopes.get(id ?? plain);
  }

  /** Where each grammar lies, and which are put into which. */
  paths(): { grammars: Record<string, string>; injections: Record<string, string[]> } {
    const grammars = Object.fromEntries([...this.files].map(([scope, uri]) => [scope, uri.fsPath]));
    return { grammars, injections: Object.fromEntries(this.injections) };
  }

  private addLanguage({ id, aliases = [], extensions: endings = [] }: LanguageRow): void {
    if (id === undefined) return;
    this.languages.set(id.toLowerCase(), id);
    for (const name of [...aliases, ...endings.map((ending) => ending.slice(1))]) {
      if (!this.languages.has(name.toLowerCase())) this.languages.set(name.toLowerCase(), id);
    }
  }

  private addGrammar({ language, scopeName, path, injectTo = [] }: GrammarRow, root: Uri): void {
    if (scopeName === undefined || path === undefined) return;
    this.files.set(scopeName, Uri.joinPath(root, path));
    if (language !== undefined) this.scopes.set(language, scopeName);
    for (const target of injectTo) this.injections.set(target, [...(this.injections.get(target) ?? []), scopeName]);
  }
}
