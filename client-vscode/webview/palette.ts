// The colours of code, as the extension read them from the editor's theme: a style sheet of the page's own making.
import type { Palette } from "../src/chat/messages";

const sheet = new CSSStyleSheet();
document.adoptedStyleSheets.push(sheet);

export function setPalette({ colours }: Palette): void {
  const rules = colours.flatMap((colour, index) => {
    const safe = typeof colour === "string" && /^(#[0-9a-f]{3,8}|var\(--vscode-[\w-]+\))$/i.test(colour);
    return safe ? [`.code .c${index} { color: ${colour}; }`] : [];
  });
  sheet.replaceSync(rules.join("\n"));
}
