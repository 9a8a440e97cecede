// Kaaj in the editor: what can be asked for at a selection, and how far it is.
import type { Kaaj, Owned } from "../kaaj";
import { registerEditorCommands } from "./editorCommands";
import { registerInlineProgress } from "./inlineProgress";

export function registerEditor(kaaj: Kaaj): Owned[] {
  return [...registerEditorCommands(kaaj), ...registerInlineProgress(kaaj)];
}
