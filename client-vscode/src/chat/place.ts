// A path with a line, as models write it: `src/a.ts`, `src/a.ts:12`, `src/a.ts#L12`.

export interface Place {
  readonly path: string;
  /** From 0. */
  readonly line: number;
}

export function placeOf(text: string): Place {
  const match = /^(.*?)(?:#L(\d+)(?:-L?\d+)?|:(\d+)(?::\d+)?(?:-\d+)?)?$/s.exec(text);
  const line = Number(match?.[2] ?? match?.[3] ?? 1);
  return { path: match?.[1] ?? text, line: Math.max(0, line - 1) };
}
