// Fuzzy matching of paths and names, as a person types them.

const SEPARATOR = /[\s/\\._-]/;

/**
 * How well `query` fits `text`, higher is better; undefined where its characters do not occur in order. Matches in a
 * row, at the beginning of words and in the last part of a path count more; long texts count less.
 */
export function score(query: string, text: string): number | undefined {
  if (query === "") return 0;
  const wanted = query.toLowerCase();
  const lower = text.toLowerCase();
  const name = lower.lastIndexOf("/", lower.length - 2) + 1;
  const inName = run(wanted, lower, text, name);
  const anywhere = run(wanted, lower, text, 0);
  if (anywhere === undefined) return undefined;
  const best = Math.max(anywhere, (inName ?? -Infinity) + 6);
  const exact = lower.slice(name) === wanted ? 50 : lower.startsWith(wanted, name) ? 20 : 0;
  return best + exact - text.length / 20;
}

/** Beginnings that are tried. */
const TRIED = 8;

/** The best of the ways to find the characters in order, each beginning at another place. */
function run(wanted: string, lower: string, text: string, from: number): number | undefined {
  let most: number | undefined;
  let start = lower.indexOf(wanted[0] ?? "", from);
  for (let tried = 0; start >= 0 && tried < TRIED; tried++) {
    const points = runFrom(wanted, lower, text, start);
    if (points === undefined) break;
    most = Math.max(most ?? points, points);
    start = lower.indexOf(wanted[0] ?? "", start + 1);
  }
  return most;
}

function runFrom(wanted: string, lower: string, text: string, start: number): number | undefined {
  let sum = 0;
  let at = start - 1;
  for (const character of wanted) {
    const next = lower.indexOf(character, at + 1);
    if (next < 0) return undefined;
    const before = text[next - 1] ?? "/";
    const begins = SEPARATOR.test(before) || (/[a-z0-9]/.test(before) && /[A-Z]/.test(text[next] ?? ""));
    sum += 1 + (next === at + 1 ? 4 : 0) + (begins ? 5 : 0) - Math.min(3, (next - at - 1) / 10);
    at = next;
  }
  return sum;
}

/** The rows that fit best, the best first; of equals the earlier one. */
export function best<Row>(query: string, rows: Iterable<Row>, textOf: (row: Row) => string, limit: number): Row[] {
  const found: { row: Row; points: number }[] = [];
  for (const row of rows) {
    const points = score(query, textOf(row));
    if (points !== undefined) found.push({ row, points });
  }
  return found
    .sort((a, b) => b.points - a.points)
    .slice(0, limit)
    .map(({ row }) => row);
}
