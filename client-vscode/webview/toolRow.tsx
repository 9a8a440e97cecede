// A tool call as one quiet line.
import { Component, type JSX } from "preact";
import type { ToolLine } from "../src/state/transcript";
import { post } from "./host";
import { Icon, type IconName } from "./icons";
import { Inline } from "./inline";

const ICONS: Readonly<Record<string, IconName>> = {
  read: "file",
  search: "search",
  list: "folder",
  edit: "edit",
  write: "edit",
  run: "terminal",
  check: "checklist",
  todo: "checklist",
  diagnostics: "problems",
};
const SPOKEN = { running: "running", ok: "done", failed: "failed" } as const;

export class ToolRow extends Component<{ item: ToolLine }, { open: boolean }> {
  override state = { open: false };

  override render(): JSX.Element {
    const { item } = this.props;
    const { open } = this.state;
    const { status, title, summary, uri } = item;
    const icon: IconName = status === "running" ? "loading" : status === "failed" ? "error" : (ICONS[item.tool] ?? "tools");
    const toggle = (): void => {
      this.setState({ open: !open });
    };
    return (
      <div class={`tool ${status}${open ? " open" : ""}`}>
        <button type="button" class="tool-line" aria-expanded={open} title={open ? "" : summary || title} onClick={toggle}>
          <Icon name={icon} spin={status === "running"} />
          <span class="tool-title">
            <Inline text={title} />
          </span>
          <span class="sr">, {SPOKEN[status]}</span>
          {summary && !open && (
            <span class="tool-summary">
              <Inline text={summary} />
            </span>
          )}
        </button>
        {uri !== undefined && (
          <button type="button" class="quiet tool-open" aria-label={`Open the file of ${title}`} title="Open the file" onClick={() => { post({ type: "open", uri }); }}>
            <Icon name="file" />
          </button>
        )}
        {open && (
          <div class="tool-detail">
            <Inline text={summary || (status === "running" ? "It runs." : "It said nothing.")} />
          </div>
        )}
      </div>
    );
  }
}
