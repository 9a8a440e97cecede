// The editor's problems, as the server's request `kaaj/diagnostics` wants them.
import type { DiagnosticsAnswer, FileDiagnostics, Position } from "../protocol.gen";

/** A problem as VS Code has it: the part that is used. `severity` counts from 0 (error). */
export interface EditorProblem {
  readonly range: { readonly start: Position; readonly end: Position };
  readonly message: string;
  readonly severity: number;
  readonly source?: string | undefined;
  readonly code?: string | number | { readonly value: string | number } | undefined;
}

export type FileProblems = readonly [uri: string, problems: readonly EditorProblem[]];

const DIAGNOSTICS_MAX = 1_000;
const MESSAGE_MAX = 4_000;
const OWN_SOURCE = "kaaj";

function wire({ range, message, severity, source, code }: EditorProblem): FileDiagnostics["diagnostics"][number] {
  const at = ({ line, character }: Position): Position => ({ line, character });
  const value = typeof code === "object" ? code.value : code;
  return {
    range: { start: at(range.start), end: at(range.end) },
    message: message.slice(0, MESSAGE_MAX),
    severity: severity + 1,
    ...(source === undefined ? {} : { source }),
    ...(value === undefined ? {} : { code: value }),
  };
}

/**
 * At most 1,000 problems in all, the errors first; Kaaj's own are left out. A file that `uri` names is in the answer
 * also where it has none.
 */
export function diagnosticsAnswer(files: readonly FileProblems[], uri: string | undefined): DiagnosticsAnswer {
  const all = files.flatMap(([file, problems]) =>
    problems.filter(({ source }) => source?.toLowerCase() !== OWN_SOURCE).map((problem) => ({ file, problem })),
  );
  const kept = all.sort((a, b) => a.problem.severity - b.problem.severity).slice(0, DIAGNOSTICS_MAX);
  const byFile = new Map<string, FileDiagnostics["diagnostics"]>(uri === undefined ? [] : [[uri, []]]);
  for (const { file, problem } of kept) byFile.set(file, [...(byFile.get(file) ?? []), wire(problem)]);
  return { files: [...byFile].map(([file, diagnostics]) => ({ uri: file, diagnostics })) };
}
