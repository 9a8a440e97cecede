// One turn: the prompt, what the model said and did, the change that came of it, and how it ended.
import { Component, createRef, type JSX } from "preact";
import { memo } from "./memo";
import type { Approval, Change } from "../src/protocol.gen";
import type { TaskView } from "../src/state/projection";
import type { Item, NoticeLine, Prose as ProseItem, Turn as TurnOf } from "../src/state/transcript";
import { announce, spokenBlock } from "./announce";
import { ChangeCard } from "./changeCard";
import { Chips } from "./chipRow";
import { Ending } from "./ending";
import { post } from "./host";
import { Icon } from "./icons";
import { Inline } from "./inline";
import { Prose } from "./markdown/prose";
import { ToolRow } from "./toolRow";

export interface TurnProps {
  readonly turn: TurnOf;
  readonly task: TaskView | undefined;
  readonly changes: readonly Change[];
  readonly approvals: readonly Approval[];
  /** The newest turn of the session. */
  readonly last: boolean;
  /** The workspace is not trusted. */
  readonly restricted: boolean;
}

export const Turn = memo(function Turn({ turn, task, changes, approvals, last, restricted }: TurnProps): JSX.Element {
  const prompt = task?.prompt.trim() ?? "";
  const waits = approvals.length > 0 || changes.some(({ state }) => state === "proposed");
  return (
    <article class="turn" aria-label={prompt.split("\n", 1)[0]?.slice(0, 120) ?? ""}>
      {task && <Prompt text={prompt} task={task} />}
      {turn.items.map((item) => (
        <ItemRow key={item.key} item={item} />
      ))}
      {changes.map((change) => (
        <ChangeCard key={change.id} change={change} />
      ))}
      {approvals.map((approval) => (
        <Asked key={approval.id} approval={approval} />
      ))}
      {task && <Ending task={task} last={last} said={lastWords(turn.items)} waits={waits} restricted={restricted} />}
    </article>
  );
});

const PROMPT_LINES = 12;

class Prompt extends Component<{ text: string; task: TaskView }, { open: boolean }> {
  override state = { open: false };

  override render(): JSX.Element {
    const { text, task } = this.props;
    const lines = text.split("\n");
    const long = lines.length > PROMPT_LINES || text.length > 1500;
    const shown = long && !this.state.open ? `${lines.slice(0, PROMPT_LINES).join("\n").slice(0, 1500)}…` : text;
    return (
      <div class="prompt">
        <h2 class="sr">You asked</h2>
        <div class="prompt-text">{shown}</div>
        {long && (
          <button type="button" class="link" aria-expanded={this.state.open} onClick={() => { this.setState({ open: !this.state.open }); }}>
            {this.state.open ? "Show less" : `Show all ${lines.length} lines`}
          </button>
        )}
        {task.context && <Chips items={task.context} label="What went along" />}
      </div>
    );
  }
}

const ItemRow = memo(function ItemRow({ item }: { item: Item }): JSX.Element {
  switch (item.kind) {
    case "prose":
      return <Streamed item={item} />;
    case "tool":
      return <ToolRow item={item} />;
    case "notice":
      return <Notice item={item} />;
  }
});

/** Prose is drawn beside Preact: what is finished is never touched again. */
class Streamed extends Component<{ item: ProseItem }> {
  private readonly place = createRef<HTMLDivElement>();
  private readonly live = this.props.item.open;
  private readonly prose = new Prose((source) => {
    if (this.live) announce(spokenBlock(source));
  });

  override shouldComponentUpdate({ item }: { item: ProseItem }): boolean {
    if (item !== this.props.item) this.prose.update(item.text, item.open);
    return false;
  }

  override componentDidMount(): void {
    const { item } = this.props;
    this.place.current?.append(this.prose.element);
    this.prose.update(item.text, item.open);
  }

  override render(): JSX.Element {
    return <div ref={this.place} />;
  }
}

function Notice({ item }: { item: NoticeLine }): JSX.Element {
  return (
    <div class={`notice ${item.level}`}>
      <Icon name={item.level} />
      <span>
        {item.level !== "info" && <span class="sr">{item.level}: </span>}
        <Inline text={item.text} />
      </span>
    </div>
  );
}

/** The question itself is put by the editor; here it is told that it waits. */
function Asked({ approval }: { approval: Approval }): JSX.Element {
  return (
    <section class="card asked" aria-label="A question waits">
      <div class="card-head">
        <Icon name="question" />
        <span class="card-title">
          <Inline text={approval.title} />
        </span>
      </div>
      {approval.detail && <div class="asked-detail">{approval.detail}</div>}
      <div class="actions">
        <button type="button" class="primary" onClick={() => { post({ type: "deed", deed: "questions" }); }}>
          Show the question
        </button>
        <span class="hint">{approval.choices.join(" · ")}</span>
      </div>
    </section>
  );
}

function lastWords(items: readonly Item[]): string {
  const last = items.findLast((item) => item.kind === "prose");
  return last?.kind === "prose" ? last.text : "";
}
