// Earlier sessions: searched, resumed, deleted.
import { Component, createRef, type JSX } from "preact";
import type { SessionInfo } from "../src/protocol.gen";
import { change, type AppState } from "./app";
import { post } from "./host";
import { Icon } from "./icons";
import { agoText } from "./usage";

/** Sessions one of whose prompts has each of the words in it. */
export function matching(sessions: readonly SessionInfo[], words: string): readonly SessionInfo[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return sessions;
  return sessions.filter(({ title, prompts }) => {
    return [title, ...prompts].some((prompt) => wanted.every((word) => prompt.toLowerCase().includes(word)));
  });
}

interface HistoryProps {
  readonly history: NonNullable<AppState["history"]>;
}

export class History extends Component<HistoryProps, { words: string }> {
  override state = { words: "" };
  private readonly root = createRef<HTMLElement>();
  private readonly before = document.activeElement;

  override componentDidMount(): void {
    this.root.current?.querySelector("input")?.focus();
  }

  override componentWillUnmount(): void {
    if (this.before instanceof HTMLElement) this.before.focus();
  }

  override render(): JSX.Element {
    const { sessions, shown } = this.props.history;
    const found = sessions ? matching(sessions, this.state.words) : [];
    const now = Date.now() / 1000;
    return (
      <section ref={this.root} class="history" role="dialog" aria-label="History" onKeyDown={this.key}>
        <div class="history-search">
          <Icon name="search" />
          <input
            type="text"
            role="searchbox"
            aria-label="Search the prompts"
            placeholder="Search the prompts"
            onInput={(event) => { this.setState({ words: event.currentTarget.value }); }}
          />
          <button type="button" class="quiet" aria-label="Close the history" title="Close (Escape)" onClick={close}>
            <Icon name="close" />
          </button>
        </div>
        {sessions === null && <p class="hint">Looking…</p>}
        {sessions !== null && found.length === 0 && <p class="hint">{sessions.length === 0 ? "No session yet." : "No prompt has these words."}</p>}
        <ul aria-label="Sessions">
          {found.map((session) => (
            <li key={session.id} class={session.id === shown ? "current" : ""}>
              <button
                type="button"
                class="session"
                aria-current={session.id === shown}
                onClick={() => {
                  post({ type: "show", session: session.id });
                  close();
                }}
              >
                {session.running && <Icon name="loading" spin />}
                <span class="session-title">{session.title || "No title"}</span>
                {session.running && <span class="sr">, running</span>}
                <span class="dim session-time">{agoText(session.updated, now)}</span>
                {hit(session, this.state.words) && <span class="dim session-hit">{hit(session, this.state.words)}</span>}
              </button>
              <button type="button" class="quiet session-forget" aria-label={`Delete ${session.title}`} title={session.running ? "It still runs" : "Delete"} disabled={session.running} onClick={() => { post({ type: "forget", session: session.id }); }}>
                <Icon name="trash" />
              </button>
            </li>
          ))}
        </ul>
      </section>
    );
  }

  private readonly key = (event: KeyboardEvent): void => {
    const rows = [...(this.root.current?.querySelectorAll<HTMLElement>(".session") ?? [])];
    const at = rows.findIndex((row) => row === document.activeElement);
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") rows[Math.min(at + 1, rows.length - 1)]?.focus();
    else if (event.key === "ArrowUp") (at <= 0 ? this.root.current?.querySelector("input") : rows[at - 1])?.focus();
    else if (event.key === "Enter" && at < 0) rows[0]?.click();
    else if (event.key === "Delete" && at >= 0) rows[at]?.parentElement?.querySelector<HTMLElement>(".session-forget")?.click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function close(): void {
  change({ history: undefined });
}

/** The prompt that the words were found in, where it is not the title. */
function hit({ title, prompts }: SessionInfo, words: string): string {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0 || wanted.every((word) => title.toLowerCase().includes(word))) return "";
  return prompts.find((prompt) => wanted.every((word) => prompt.toLowerCase().includes(word))) ?? "";
}
