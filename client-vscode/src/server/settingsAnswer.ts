// What the server is told when it asks for the section `kaaj`.
import { SERVER_SETTINGS } from "../protocol.gen";

/** What VS Code knows of one setting; the workspace's own values are left out on purpose. */
export interface Inspected {
  readonly defaultValue?: unknown;
  readonly globalValue?: unknown;
}

/**
 * The section out of the person's own settings alone. A name that no schema declares, or a value out of a workspace,
 * does not get through: VS Code itself would let a workspace set a name that it does not know.
 */
export function settingsAnswer(
  inspect: (name: string) => Inspected | undefined,
  apiKey: string | undefined,
): Record<string, unknown> {
  const section: Record<string, unknown> = {};
  for (const name of SERVER_SETTINGS) {
    const { globalValue, defaultValue } = inspect(name) ?? {};
    const value = globalValue ?? defaultValue;
    if (value !== undefined) section[name] = value;
  }
  if (apiKey) section.apiKey = apiKey;
  return section;
}
