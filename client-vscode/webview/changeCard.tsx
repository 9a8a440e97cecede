// A change as a card: its files and hunks, what the check said, and what can be decided.
import { Component, type JSX } from "preact";
import { counts, countsText, spokenCounts, targetOf } from "../src/changes/changeParts";
import { baseName, relativeTo } from "../src/chat/chips";
import type { ChangeAction } from "../src/chat/messages";
import type { Change, Check, FileChange, Hunk } from "../src/protocol.gen";
import { current } from "./app";
import { post } from "./host";
import { Icon, type IconName } from "./icons";
import { memo } from "./memo";
import { secondsText } from "./usage";

const STATES: Record<Change["state"], string> = {
  draft: "being made",
  checked: "checked",
  proposed: "to review",
  applied: "applied",
  rejected: "rejected",
  stale: "out of date",
  undone: "undone",
};
const KINDS: Record<FileChange["kind"], string> = { edit: "", create: "new", delete: "deleted", rename: "renamed" };

interface At {
  readonly file?: string;
  readonly hunk?: string;
}

function ask(change: Change, action: ChangeAction, at: At = {}): void {
  // The digest is that of what is drawn here: should the change have moved on, the server says so.
  post({ type: "change", action, change: change.id, digest: change.digest, ...at });
}

export const ChangeCard = memo(function ChangeCard({ change }: { change: Change }): JSX.Element | null {
  const { state, files, check } = change;
  if (files.length === 0) return null;
  const all = counts(files.flatMap(({ hunks }) => hunks));
  const title = files.length === 1 ? "1 file" : `${files.length} files`;
  return (
    <section class={`card change ${state}`} aria-label={`Change, ${STATES[state]}`}>
      <div class="card-head">
        <Icon name="diff" />
        <span class="card-title">{title}</span>
        <Counted counted={all} />
        <span class="spacer" />
        <span class={`state ${state}`}>{STATES[state]}</span>
      </div>
      {files.map((file) => (
        <FileRow key={file.uri} change={change} file={file} />
      ))}
      {check && <CheckRow check={check} />}
      <Actions change={change} />
    </section>
  );
});

const MERGE = "Propose the way back with what was edited since kept; you review it before anything is written";

function Actions({ change }: { change: Change }): JSX.Element {
  const { state } = change;
  const button = (action: ChangeAction, label: string, look: string, title?: string): JSX.Element => (
    <button type="button" class={look} title={title} onClick={() => { ask(change, action); }}>
      {label}
    </button>
  );
  return (
    <div class="actions">
      {state === "proposed" && button("accept", "Apply", "primary")}
      {state === "proposed" && button("reject", "Reject", "secondary")}
      {state === "applied" && button("undo", "Undo", "secondary")}
      {state === "applied" && button("undoMerge", "Undo with a merge", "link", MERGE)}
      {button("show", "Show diff", state === "proposed" ? "secondary" : "link")}
    </div>
  );
}

function Counted({ counted }: { counted: ReturnType<typeof counts> }): JSX.Element {
  return (
    <span class="counts" title={spokenCounts(counted)}>
      <span class="sr">{spokenCounts(counted)}</span>
      <span aria-hidden="true" class="added">{`+${counted.added}`}</span>
      <span aria-hidden="true" class="removed">{`−${counted.removed}`}</span>
    </span>
  );
}

class FileRow extends Component<{ change: Change; file: FileChange }, { open: boolean }> {
  override state = { open: false };

  override render(): JSX.Element {
    const { change, file } = this.props;
    const { open } = this.state;
    const uri = targetOf(file);
    const name = baseName(uri);
    const path = relativeTo(current().standing.folders, uri);
    return (
      <div class="file">
        <div class="file-line">
          <button type="button" class="quiet twist" aria-expanded={open} aria-label={`Hunks of ${name}`} onClick={() => { this.setState({ open: !open }); }}>
            <Icon name={open ? "chevronDown" : "chevronRight"} />
          </button>
          <button type="button" class="file-name" title={`${path}: show the diff`} onClick={() => { ask(change, "show", { file: file.uri }); }}>
            <bdi>{name}</bdi>
            <span class="dim" aria-hidden="true">
              {path.slice(0, -name.length - 1)}
            </span>
          </button>
          {KINDS[file.kind] && <span class={`kind ${file.kind}`}>{KINDS[file.kind]}</span>}
          <Counted counted={counts(file.hunks)} />
        </div>
        {[file, ...file.hunks].map(({ warning }, index) => warning && <Warning key={index} text={warning} />)}
        {open && file.hunks.map((hunk) => <HunkRow key={hunk.id} change={change} file={file} hunk={hunk} />)}
      </div>
    );
  }
}

/** What the server says that a look at the lines does not show; there whether the hunks are unfolded or not. */
function Warning({ text }: { text: string }): JSX.Element {
  return (
    <div class="look-closely" role="note">
      <Icon name="warning" />
      <span>{text}</span>
    </div>
  );
}

const LINES_MAX = 60;

function HunkRow({ change, file, hunk }: { change: Change; file: FileChange; hunk: Hunk }): JSX.Element {
  const lines = [...rows(hunk.old, "removed"), ...rows(hunk.new, "added")];
  const at = { file: file.uri, hunk: hunk.id };
  const taken = change.state === "applied" && change.applied !== undefined && !change.applied.includes(hunk.id);
  return (
    <div class={taken ? "hunk left-out" : "hunk"}>
      <div class="hunk-line">
        <span class="dim">{file.kind === "edit" ? `Line ${hunk.range.start.line + 1}` : KINDS[file.kind]}</span>
        {taken && <span class="dim">left out</span>}
        <span class="spacer" />
        {change.state === "proposed" && small("check", "Apply this hunk", () => { ask(change, "accept", at); })}
        {change.state === "proposed" && small("close", "Reject this hunk", () => { ask(change, "reject", at); })}
      </div>
      <pre class="hunk-text" tabIndex={0} role="group" aria-label={countsText(counts([hunk]))}>
        {lines.slice(0, LINES_MAX).map(({ text, kind }, index) => (
          <div key={index} class={kind}>
            <span class="sr">{kind}: </span>
            <span aria-hidden="true" class="sign">{kind === "added" ? "+" : "−"}</span>
            {text}
          </div>
        ))}
        {lines.length > LINES_MAX && <div class="dim">{`… ${lines.length - LINES_MAX} more lines in the diff`}</div>}
      </pre>
    </div>
  );
}

function small(icon: IconName, label: string, act: () => void): JSX.Element {
  return (
    <button type="button" class="quiet" title={label} aria-label={label} onClick={act}>
      <Icon name={icon} />
    </button>
  );
}

function rows(text: string, kind: "added" | "removed"): { text: string; kind: "added" | "removed" }[] {
  if (text === "") return [];
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line) => ({ text: line, kind }));
}

class CheckRow extends Component<{ check: Check }, { open: boolean }> {
  override state = { open: false };

  override render(): JSX.Element | null {
    const { check } = this.props;
    const { open } = this.state;
    if (check.status === "none" && check.parsed) return <div class="check none">No check was run.</div>;
    const passed = check.status === "passed" && check.parsed;
    const words = !check.parsed ? "A file does not parse" : passed ? "Check passed" : "Check failed";
    const output = `${check.command ? `$ ${check.command}\n` : ""}${check.output}`.trim();
    return (
      <div class={passed ? "check passed" : "check failed"}>
        <button type="button" class="check-line" aria-expanded={open} onClick={() => { this.setState({ open: !open }); }}>
          <Icon name={passed ? "pass" : "error"} />
          <span>{words}</span>
          <span class="dim check-command">{check.command}</span>
          {check.seconds >= 0.05 && <span class="dim">{secondsText(check.seconds)}</span>}
        </button>
        {open && (
          <pre class="output" tabIndex={0} role="group" aria-label="What the check printed">
            {output || "It printed nothing."}
          </pre>
        )}
      </div>
    );
  }
}
