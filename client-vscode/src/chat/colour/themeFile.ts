// A colour theme's rules for tokens, out of the theme extension's own files.
import { parse } from "jsonc-parser";

export interface TokenRule {
  readonly scope?: string | readonly string[] | undefined;
  readonly settings: { readonly foreground?: string; readonly fontStyle?: string };
}

export interface TokenTheme {
  readonly rules: readonly TokenRule[];
  /** The colour of what no rule colours. */
  readonly foreground: string | undefined;
}

/** Reads a file beside the theme; the path is relative to the file that names it. */
export type ReadFile = (path: string) => Promise<string>;

interface ThemeFile {
  readonly include?: unknown;
  readonly tokenColors?: unknown;
  readonly colors?: Record<string, unknown>;
}

/** The theme with all that it includes; what comes later counts more. Undefined where it is of a form of its own. */
export async function readTheme(path: string, read: ReadFile, depth = 0): Promise<TokenTheme | undefined> {
  if (depth > 10) return undefined;
  const file = parse(await read(path)) as ThemeFile | undefined;
  if (typeof file !== "object") return undefined;
  const base = typeof file.include === "string" ? await readTheme(beside(path, file.include), read, depth + 1) : undefined;
  // A path here means a TextMate theme in XML, which few still have.
  if (typeof file.tokenColors === "string") return base;
  const own = file.colors?.["editor.foreground"];
  return {
    rules: [...(base?.rules ?? []), ...rulesOf(file.tokenColors)],
    foreground: typeof own === "string" ? own : base?.foreground,
  };
}

/** Rules out of a theme, or out of the person's `editor.tokenColorCustomizations`. */
export function rulesOf(raw: unknown): TokenRule[] {
  if (!Array.isArray(raw)) return [];
  return raw.flatMap((rule: unknown) => {
    if (typeof rule !== "object" || rule === null) return [];
    const { scope, settings } = rule as { scope?: unknown; settings?: unknown };
    if (typeof settings !== "object" || settings === null) return [];
    const { foreground, fontStyle } = settings as Record<string, unknown>;
    const scopes = typeof scope === "string" ? scope : Array.isArray(scope) ? scope.map(String) : undefined;
    // The default colour belongs to the theme as a whole and is taken from there.
    if (scopes === undefined) return [];
    return [
      {
        scope: scopes,
        settings: {
          ...(typeof foreground === "string" ? { foreground } : {}),
          ...(typeof fontStyle === "string" ? { fontStyle } : {}),
        },
      },
    ];
  });
}

export function beside(path: string, other: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of other.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Where no file tells: few colours, by the editor's own variables. A rule's number stands for the variable. */
const PLAIN: readonly (readonly [string, string])[] = [
  ["comment", "--vscode-descriptionForeground"],
  ["string", "--vscode-debugTokenExpression-string"],
  ["constant.numeric", "--vscode-debugTokenExpression-number"],
  ["constant.language", "--vscode-debugTokenExpression-boolean"],
  ["keyword", "--vscode-symbolIcon-keywordForeground"],
  ["storage", "--vscode-symbolIcon-keywordForeground"],
  ["entity.name.function", "--vscode-symbolIcon-functionForeground"],
  ["entity.name.type", "--vscode-symbolIcon-classForeground"],
  ["variable", "--vscode-symbolIcon-variableForeground"],
];

/** The grammar's engine takes colours in hexadecimal alone: these stand for the variables. */
export function fallback(): { theme: TokenTheme; names: ReadonlyMap<string, string> } {
  const code = (index: number): string => `#0000${(index + 1).toString(16).padStart(2, "0")}`.toUpperCase();
  return {
    theme: { rules: PLAIN.map(([scope], index) => ({ scope, settings: { foreground: code(index) } })), foreground: "#000000" },
    names: new Map(PLAIN.map(([, variable], index) => [code(index), `var(${variable})`])),
  };
}
