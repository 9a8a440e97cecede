// A row of a tree view, without VS Code in it: rows are made anew from the state each time, and compared.

export interface Row<About> {
  /** The same as long as the same thing is meant, so that it stays open and selected when it is drawn anew. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  /** Plain text. */
  readonly tooltip?: string;
  /** A codicon's name, or `file` for the icon theme's own. */
  readonly icon: string;
  /** A theme colour's name. */
  readonly color?: string;
  /** The file that is meant: it gets the name's icon and the problems' colour. */
  readonly resource?: string;
  /** What a screen reader says in place of label and description. */
  readonly spoken: string;
  /** What menus look at (`viewItem`). */
  readonly context: string;
  /** A click opens it. */
  readonly opens?: boolean;
  readonly children?: readonly Row<About>[];
  /** Whether the children are seen at first; after that it is as the person left it. */
  readonly open?: boolean;
  /** What commands act on. */
  readonly about: About;
}

/** What has to be drawn anew: everything (the top rows differ), or the rows of these ids with what is below them. */
export type Redraw = "all" | readonly string[];

export function redraw<About>(before: readonly Row<About>[], after: readonly Row<About>[]): Redraw {
  if (!sameIds(before, after)) return "all";
  const changed: string[] = [];
  const compare = (old: readonly Row<About>[], now: readonly Row<About>[]): void => {
    now.forEach((row, index) => {
      const was = old[index];
      if (!was || was === row) return;
      if (!sameIds(was.children ?? [], row.children ?? []) || own(was) !== own(row)) changed.push(row.id);
      else compare(was.children ?? [], row.children ?? []);
    });
  };
  compare(before, after);
  return changed;
}

function sameIds<About>(one: readonly Row<About>[], other: readonly Row<About>[]): boolean {
  return one.length === other.length && one.every(({ id }, index) => id === other[index]?.id);
}

/** What is drawn of the row itself. What commands act on is taken from the newest row in any case. */
function own<About>(row: Row<About>): string {
  const { id, label, description, tooltip, icon, color, resource, spoken, context, opens } = row;
  return JSON.stringify([id, label, description, tooltip, icon, color, resource, spoken, context, opens]);
}

/** Every row, in the order drawn. */
export function flat<About>(rows: readonly Row<About>[]): Row<About>[] {
  return rows.flatMap((row) => [row, ...flat(row.children ?? [])]);
}
