// The answer of `kaaj model list --json`.

export interface EmbeddedModel {
  readonly name: string;
  readonly bytes: number;
  /** Where it stands on this machine; null where it does not. */
  readonly path: string | null;
  readonly default: boolean;
}

function isModel(row: unknown): row is EmbeddedModel {
  if (typeof row !== "object" || row === null) return false;
  const { name, bytes, path, default: standard } = row as Record<string, unknown>;
  return (
    typeof name === "string" &&
    typeof bytes === "number" &&
    (path === null || typeof path === "string") &&
    typeof standard === "boolean"
  );
}

/** The models, the default first. Throws where the text is not such a list. */
export function modelsOf(json: string): EmbeddedModel[] {
  let rows: unknown;
  try {
    rows = JSON.parse(json);
  } catch {
    rows = undefined;
  }
  if (!Array.isArray(rows) || !rows.every(isModel)) {
    throw new Error("The installed Kaaj does not list its models in a way that this extension knows. Update one of the two.");
  }
  return rows.sort((a, b) => Number(b.default) - Number(a.default));
}

/** As people say it: `1.1 GB`. */
export function sizeOf(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(0)} MB`;
}
