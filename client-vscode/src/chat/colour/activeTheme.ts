// The colour theme that the editor shows now.
import { ColorThemeKind, extensions, Uri, window, workspace } from "vscode";
import { readTheme, rulesOf, type TokenTheme } from "./themeFile";

interface Contributed {
  readonly id?: string;
  readonly label?: string;
  readonly path?: string;
}

export async function activeTheme(): Promise<TokenTheme | undefined> {
  const name = nameOfTheme();
  for (const extension of extensions.all) {
    const { contributes } = extension.packageJSON as { contributes?: { themes?: readonly Contributed[] } };
    const row = contributes?.themes?.find(({ id, label }) => (id ?? label) === name);
    if (row?.path === undefined) continue;
    const read = async (path: string): Promise<string> => {
      return new TextDecoder().decode(await workspace.fs.readFile(Uri.joinPath(extension.extensionUri, path)));
    };
    try {
      const theme = await readTheme(row.path, read);
      return theme && { ...theme, rules: [...theme.rules, ...custom(name)] };
    } catch {
      return undefined; // a theme that cannot be read: the editor's own variables do
    }
  }
  return undefined;
}

function nameOfTheme(): string {
  const get = (name: string): string => workspace.getConfiguration().get<string>(name, "");
  const follows = workspace.getConfiguration("window").get<boolean>("autoDetectColorScheme", false);
  const contrast = workspace.getConfiguration("window").get<boolean>("autoDetectHighContrast", true);
  const { kind } = window.activeColorTheme;
  if (contrast && kind === ColorThemeKind.HighContrast && !isContrast(get("workbench.colorTheme"))) {
    return get("workbench.preferredHighContrastColorTheme");
  }
  if (contrast && kind === ColorThemeKind.HighContrastLight && !isContrast(get("workbench.colorTheme"))) {
    return get("workbench.preferredHighContrastLightColorTheme");
  }
  if (follows && kind === ColorThemeKind.Dark) return get("workbench.preferredDarkColorTheme");
  if (follows && kind === ColorThemeKind.Light) return get("workbench.preferredLightColorTheme");
  return get("workbench.colorTheme");
}

function isContrast(name: string): boolean {
  return /high contrast/i.test(name);
}

/** The person's own rules: for all themes, and those for this one. */
function custom(theme: string): ReturnType<typeof rulesOf> {
  const own = workspace.getConfiguration("editor").get<Record<string, unknown>>("tokenColorCustomizations", {});
  const here = own[`[${theme}]`];
  const inner = typeof here === "object" && here !== null ? (here as Record<string, unknown>).textMateRules : undefined;
  return [...rulesOf(own.textMateRules), ...rulesOf(inner)];
}
