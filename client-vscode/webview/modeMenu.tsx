// The mode of the next prompt, explained where it is chosen.
import { Component, createRef, type JSX } from "preact";
import type { Mode } from "../src/chat/messages";
import { Icon } from "./icons";

const MODES: readonly { mode: Mode; name: string; words: string }[] = [
  { mode: "plan", name: "Plan", words: "Writes the to-do list and stops. Nothing is changed." },
  { mode: "ask", name: "Ask", words: "Proposes one checked change and waits for your decision." },
  { mode: "auto", name: "Auto", words: "Applies the change by itself once the checks pass. Undo takes it back." },
];

interface ModeMenuProps {
  readonly mode: Mode;
  readonly choose: (mode: Mode) => void;
  /** The workspace is not trusted: there is only `plan`. */
  readonly locked: boolean;
}

export class ModeMenu extends Component<ModeMenuProps, { open: boolean }> {
  override state = { open: false };
  private readonly button = createRef<HTMLButtonElement>();
  private readonly menu = createRef<HTMLDivElement>();

  override componentDidUpdate(_: ModeMenuProps, before: { open: boolean }): void {
    if (this.state.open && !before.open) this.menu.current?.querySelector<HTMLElement>("[aria-checked=true]")?.focus();
  }

  override render(): JSX.Element {
    const { mode, choose, locked } = this.props;
    const { open } = this.state;
    const name = MODES.find((one) => one.mode === mode)?.name ?? mode;
    const title = locked ? "The workspace is not trusted: Kaaj only plans" : "What Kaaj may do";
    return (
      <div class="menu-root">
        <button ref={this.button} type="button" class="quiet mode" disabled={locked} title={title} aria-haspopup="menu" aria-expanded={open} aria-label={`Mode: ${name}`} onClick={() => { this.setState({ open: !open }); }}>
          {name}
          <Icon name="chevronDown" />
        </button>
        {open && (
          <div
            ref={this.menu}
            class="popup menu"
            role="menu"
            aria-label="Mode"
            onKeyDown={this.key}
            onFocusOut={(event) => {
              if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) this.setState({ open: false });
            }}
          >
            {MODES.map((one) => (
              <button
                key={one.mode}
                type="button"
                role="menuitemradio"
                aria-checked={one.mode === mode}
                tabIndex={-1}
                onClick={() => {
                  this.setState({ open: false });
                  choose(one.mode);
                }}
              >
                <b>{one.name}</b>
                <span class="dim">{one.words}</span>
              </button>
            ))}
          </div>
        )}
      </div>
    );
  }

  private readonly key = (event: KeyboardEvent): void => {
    const items = [...(this.menu.current?.querySelectorAll<HTMLElement>("[role=menuitemradio]") ?? [])];
    const at = items.findIndex((item) => item === document.activeElement);
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) items[(at + step + items.length) % items.length]?.focus();
    else if (event.key === "Escape" || event.key === "Tab") {
      this.setState({ open: false });
      this.button.current?.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
}
