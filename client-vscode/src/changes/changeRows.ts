// The view "Changes" as rows: each change, its check, its files, their hunks.
import type { Change, Check, FileChange, Hunk } from "../protocol.gen";
import { oneLine, unmarked } from "../plainText";
import type { Row } from "../tree/row";
import { counts, countsText, plural, preview, spokenCounts, targetOf, type NameOf, type Part } from "./changeParts";

/** What a row is about; `check` is the row of the check's result. */
export type ChangeAbout = Part & { readonly check?: Check };
export type ChangeRow = Row<ChangeAbout>;

/** Changes that are drawn, the newest ones; older ones are in the chat's history. */
const DRAWN = 50;
const OUTPUT_SHOWN = 1500;

const STATES: Record<Change["state"], { icon: string; color?: string; words: string }> = {
  draft: { icon: "edit", words: "being made" },
  checked: { icon: "beaker", words: "checked" },
  proposed: { icon: "diff-multiple", color: "charts.yellow", words: "proposed" },
  applied: { icon: "pass-filled", color: "testing.iconPassed", words: "applied" },
  rejected: { icon: "circle-slash", words: "rejected" },
  stale: { icon: "warning", color: "list.warningForeground", words: "stale: the files have moved on" },
  undone: { icon: "discard", words: "undone" },
};

const KINDS: Record<FileChange["kind"], string> = { edit: "", create: "new", delete: "deleted", rename: "renamed" };

/** `changes` newest first. */
export function changeRows(changes: readonly Change[], nameOf: NameOf): ChangeRow[] {
  return changes
    .filter(({ files }) => files.length > 0)
    .slice(0, DRAWN)
    .map((change, index) => changeRow(change, nameOf, index === 0));
}

function changeRow(change: Change, nameOf: NameOf, newest: boolean): ChangeRow {
  const { icon, color, words } = STATES[change.state];
  const counted = counts(change.files.flatMap(({ hunks }) => hunks));
  const files = plural(change.files.length, "file");
  const label = oneLine(unmarked(change.summary)) || files;
  const check = change.check && change.check.status !== "none" ? change.check.status : undefined;
  const mark = check ? ` · check ${check === "passed" ? "✓" : "✗"}` : "";
  return {
    id: `change/${change.id}`,
    label,
    description: `${words} · ${countsText(counted)}${mark}`,
    tooltip: `${oneLine(unmarked(change.summary), 2000) || files}\n\n${files}, ${countsText(counted)}: ${words}`,
    icon,
    ...(color === undefined ? {} : { color }),
    spoken: [label, words, files, spokenCounts(counted), check ? `check ${check}` : ""].filter(Boolean).join(", "),
    context: `change.${change.state}${check ? ".checked" : ""}`,
    children: [...checkRows(change), ...change.files.map((file) => fileRow(change, file, nameOf))],
    open: change.state === "proposed" || newest,
    about: { change },
  };
}

function checkRows(change: Change): ChangeRow[] {
  return change.check ? checkRow(change, change.check, `check/${change.id}`) : [];
}

/** The check's result as a row that opens its output; none where nothing was run and every file parses. */
export function checkRow(change: Change, check: Check, id: string): ChangeRow[] {
  if (check.status === "none" && check.parsed) return [];
  const passed = check.status === "passed" && check.parsed;
  const label = !check.parsed ? "A file does not parse" : passed ? "Check passed" : "Check failed";
  const command = oneLine(check.command, 120);
  const time = check.seconds >= 0.1 ? ` · ${check.seconds.toFixed(1)} s` : "";
  return [
    {
      id,
      label,
      description: `${command}${time}`,
      tooltip: tail(`${check.command}\n\n${check.output}`.trim()),
      icon: passed ? "pass" : "error",
      color: passed ? "testing.iconPassed" : "testing.iconFailed",
      spoken: `${label}: ${command}. Opens the output.`,
      context: "check",
      opens: true,
      about: { change, check },
    },
  ];
}

function tail(text: string): string {
  return text.length <= OUTPUT_SHOWN ? text : `…${text.slice(-OUTPUT_SHOWN)}`;
}

/** Stands before a row that the server warns of: what it hides is in the tooltip. */
const LOOK = "⚠ look closely";

function warned({ warning }: FileChange | Hunk): string {
  return warning ? oneLine(warning, 500) : "";
}

function fileRow(change: Change, file: FileChange, nameOf: NameOf): ChangeRow {
  const counted = counts(file.hunks);
  const name = oneLine(nameOf(targetOf(file)));
  const slash = name.lastIndexOf("/");
  const kind = file.kind === "rename" ? `renamed from ${oneLine(nameOf(file.uri))}` : KINDS[file.kind];
  const folder = slash > 0 ? name.slice(0, slash) : "";
  const whole = file.kind === "create" || file.kind === "delete";
  return {
    id: `file/${change.id}/${file.uri}`,
    label: name.slice(slash + 1),
    description: [file.warning ? LOOK : "", folder, kind, countsText(counted)].filter(Boolean).join(" · "),
    tooltip: [name, kind, warned(file)].filter(Boolean).join("\n"),
    icon: "file",
    resource: targetOf(file),
    spoken: [name, kind, warned(file), spokenCounts(counted)].filter(Boolean).join(", "),
    context: `file.${change.state}`,
    opens: true,
    children: whole && !file.hunks.some(({ warning }) => warning) ? [] : file.hunks.filter(visible).map((hunk) => hunkRow(change, file, hunk)),
    open: true,
    about: { change, file },
  };
}

/** A file that is only renamed has a hunk that holds no lines. */
function visible(hunk: Hunk): boolean {
  return hunk.old !== hunk.new;
}

function hunkRow(change: Change, file: FileChange, hunk: Hunk): ChangeRow {
  const counted = counts([hunk]);
  const line = hunk.range.start.line + 1;
  const text = oneLine(preview(hunk), 80);
  return {
    id: `hunk/${change.id}/${file.uri}/${hunk.id}`,
    label: `Line ${line}`,
    description: `${hunk.warning ? `${LOOK} · ` : ""}${countsText(counted)}${text ? ` · ${text}` : ""}`,
    tooltip: [text || `Line ${line}`, warned(hunk)].filter(Boolean).join("\n"),
    icon: hunk.warning ? "warning" : counted.removed === 0 ? "diff-added" : counted.added === 0 ? "diff-removed" : "diff-modified",
    spoken: `Line ${line}, ${hunk.warning ? `${warned(hunk)} ` : ""}${spokenCounts(counted)}${text ? `: ${text}` : ""}`,
    context: `hunk.${change.state}`,
    opens: true,
    about: { change, file, hunk },
  };
}
