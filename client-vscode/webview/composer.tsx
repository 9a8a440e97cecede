// The text field: what is to be done, what goes along, in which mode.
import { Component, createRef, type JSX } from "preact";
import { keyOf } from "../src/chat/chips";
import type { Mode, Standing, ToWebview } from "../src/chat/messages";
import type { ContextItem } from "../src/protocol.gen";
import type { SessionView } from "../src/state/projection";
import { announce } from "./announce";
import { change, listen } from "./app";
import { Chips } from "./chipRow";
import { candidateId, Candidates } from "./candidates";
import { Completion } from "./completion";
import { Footer } from "./footer";
import { handedOver } from "./handedOver";
import { keep, kept, post, write } from "./host";
import { Icon } from "./icons";
import { keyDeed } from "./mention";

interface ComposerProps {
  readonly standing: Standing;
  readonly view: SessionView | null;
  readonly problem: string;
}

interface ComposerState {
  readonly context: readonly ContextItem[];
  readonly mode: Mode | null;
  readonly empty: boolean;
  readonly sending: boolean;
  readonly dropping: boolean;
}

const CONTEXT_MAX = 50;

export class Composer extends Component<ComposerProps, ComposerState> {
  private readonly field = createRef<HTMLTextAreaElement>();
  private readonly completion = new Completion(() => {
    this.forceUpdate();
  });

  override state: ComposerState = {
    context: kept().context,
    mode: kept().mode,
    empty: kept().text.trim() === "",
    ...{ sending: false, dropping: false },
  };

  override componentDidMount(): void {
    if (this.field.current) this.field.current.value = kept().text;
    this.grow();
    listen((message) => {
      this.hear(message);
    });
    addEventListener("resize", this.grow);
  }

  override componentWillUnmount(): void {
    removeEventListener("resize", this.grow);
  }

  /** What the extension says to the text field. */
  private hear(message: ToWebview): void {
    switch (message.type) {
      case "candidates":
        this.completion.take(message.request, message.rows);
        return;
      case "attached":
        this.attach(message.items);
        return;
      case "sent":
        this.setText("");
        this.setState({ context: [], sending: false });
        keep({ context: [] });
        return;
      case "problem":
        this.setState({ sending: false });
        return;
      case "focus":
        this.field.current?.focus();
        return;
      case "standing":
      case "session":
      case "event":
      case "palette":
      case "tokens":
      case "sessions":
      case "history":
        return;
    }
  }

  override render(): JSX.Element {
    const { standing, view, problem } = this.props;
    const { context, mode, empty, dropping, sending } = this.state;
    const { open: list, rows, chosen } = this.completion;
    const running = view?.tasks.findLast(({ status }) => status === "running");
    // A text field of one's own that completes: a combobox while the list is open.
    const popup: Record<string, string> = list
      ? { role: "combobox", "aria-expanded": "true", "aria-controls": "candidates", "aria-activedescendant": candidateId(chosen), "aria-autocomplete": "list" }
      : {};
    return (
      <form
        class={dropping ? "composer dropping" : "composer"}
        aria-label="Prompt"
        onSubmit={(event) => {
          event.preventDefault();
          this.send();
        }}
        onDragOver={(event) => {
          event.preventDefault();
          this.setState({ dropping: true });
        }}
        onDragLeave={() => { this.setState({ dropping: false }); }}
        onDrop={(event) => {
          event.preventDefault();
          this.setState({ dropping: false });
          if (event.dataTransfer) void this.receive(event.dataTransfer, "drop");
        }}
      >
        {problem && (
          <div key="problem" class="problem" role="alert">
            <span>{problem}</span>
            <button type="button" class="quiet" aria-label="Dismiss" title="Dismiss" onClick={() => { change({ problem: "" }); }}>
              <Icon name="close" />
            </button>
          </div>
        )}
        {list && <Candidates key="candidates" rows={rows} chosen={chosen} choose={this.choose} />}
        <div key="box" class="box">
          <Chips items={context} label="Goes along" remove={this.remove} />
          <textarea
            ref={this.field}
            rows={1}
            aria-label="What should be done?"
            placeholder="Ask for a change, @ to add context"
            spellcheck={false}
            {...popup}
            onInput={this.typed}
            onSelect={this.lookForMention}
            onKeyDown={this.key}
            onPaste={(event) => {
              if (event.clipboardData && this.takesPaste(event.clipboardData)) {
                event.preventDefault();
                void this.receive(event.clipboardData, "paste");
              }
            }}
            onBlur={() => { this.completion.leave(); write(); }}
          />
          <Footer
            standing={standing}
            view={view}
            mode={standing.restricted ? "plan" : (mode ?? standing.mode)}
            choose={this.chooseMode}
            mention={this.beginMention}
            running={running?.id}
            canSend={!empty && !sending && standing.server.kind === "running"}
          />
        </div>
      </form>
    );
  }

  private get text(): string {
    return this.field.current?.value ?? "";
  }

  private setText(text: string, cursor = text.length): void {
    const field = this.field.current;
    if (!field) return;
    field.value = text;
    field.setSelectionRange(cursor, cursor);
    this.typed();
  }

  private readonly grow = (): void => {
    const field = this.field.current;
    if (!field) return;
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, Math.max(120, innerHeight * 0.4))}px`;
  };

  private readonly typed = (): void => {
    const { text } = this;
    keep({ text });
    this.grow();
    const empty = text.trim() === "";
    if (empty !== this.state.empty) this.setState({ empty });
    if (this.props.problem) change({ problem: "" });
    this.lookForMention();
  };

  private readonly lookForMention = (): void => {
    if (this.field.current) this.completion.look(this.field.current);
  };

  private readonly beginMention = (): void => {
    const field = this.field.current;
    if (!field) return;
    field.focus();
    const at = field.selectionEnd;
    const space = at === 0 || /\s$/.test(field.value.slice(0, at)) ? "" : " ";
    field.setRangeText(`${space}@`, at, at, "end");
    this.typed();
  };

  private readonly key = (event: KeyboardEvent): void => {
    const field = this.field.current;
    const { completion } = this;
    const running = this.props.view?.tasks.findLast(({ status }) => status === "running");
    const atStart = field?.selectionStart === 0 && field.selectionEnd === 0 && this.state.context.length > 0;
    const deed = keyDeed(event, { list: completion.open, running: running !== undefined, atStart });
    if (deed === undefined) return;
    event.preventDefault();
    switch (deed) {
      case "send":
        this.send();
        return;
      case "stop":
        if (running) post({ type: "stop", task: running.id });
        return;
      case "close":
        event.stopPropagation();
        completion.close();
        return;
      case "next":
      case "previous":
        completion.step(deed === "next" ? 1 : -1);
        return;
      case "choose":
        this.choose(completion.chosen);
        return;
      case "chips":
        [...(field?.form?.querySelectorAll<HTMLElement>(".chip-name") ?? [])].at(-1)?.focus();
        return;
    }
  };

  private readonly choose = (index: number): void => {
    const chosen = this.completion.choose(index, this.text);
    if (!chosen) return;
    this.setText(chosen.text, chosen.cursor);
    this.attach([chosen.item]);
    this.field.current?.focus();
  };

  private readonly chooseMode = (mode: Mode): void => {
    this.setState({ mode });
    keep({ mode });
    this.field.current?.focus();
  };

  private attach(items: readonly ContextItem[]): void {
    if (items.length === 0) return;
    const all = [...new Map([...this.state.context, ...items].map((item) => [keyOf(item), item])).values()];
    if (all.length > CONTEXT_MAX) change({ problem: `At most ${CONTEXT_MAX} things can go along with a prompt.` });
    const context = all.slice(0, CONTEXT_MAX);
    this.setState({ context });
    keep({ context });
    announce(items.length === 1 ? "Added to the prompt" : `${items.length} added to the prompt`);
  }

  private readonly remove = (item: ContextItem): void => {
    const context = this.state.context.filter((one) => one !== item);
    this.setState({ context });
    keep({ context });
  };

  private takesPaste(data: DataTransfer): boolean {
    return handedOver(data, "paste").kind !== "text";
  }

  private async receive(data: DataTransfer, how: "paste" | "drop"): Promise<void> {
    const what = handedOver(data, how);
    if (what.kind === "uris") post({ type: "drop", uris: what.uris });
    if (what.kind === "text") this.field.current?.setRangeText(what.text, this.field.current.selectionStart, this.field.current.selectionEnd, "end");
    if (what.kind === "chip") this.attach([what.item]);
    if (what.kind === "files") {
      const { items, problems } = await what.read();
      this.attach(items);
      if (problems.length > 0) change({ problem: problems.join(" ") });
    }
    this.typed();
  }

  private send(): void {
    const prompt = this.text.trim();
    const { standing } = this.props;
    if (prompt === "" || this.state.sending || standing.server.kind !== "running") return;
    const mode = standing.restricted ? "plan" : (this.state.mode ?? standing.mode);
    this.setState({ sending: true });
    change({ problem: "" });
    post({ type: "send", prompt, mode, context: this.state.context });
  }
}
