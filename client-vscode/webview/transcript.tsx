// The conversation. It stays at its end only while the person is there; old turns are drawn when they come near.
import { Component, createRef, type JSX } from "preact";
import type { SessionView } from "../src/state/projection";
import type { Turn as TurnOf } from "../src/state/transcript";
import { keep, kept } from "./host";
import { Icon } from "./icons";
import { Turn } from "./turn";

/** Pixels from the end that still count as its end. */
const NEAR = 32;
/** The newest turns are always drawn. */
const DRAWN = 6;

interface TranscriptProps {
  readonly view: SessionView;
  /** The workspace is not trusted. */
  readonly restricted: boolean;
}

interface TranscriptState {
  /** Something new is below. */
  readonly more: boolean;
}

export class Transcript extends Component<TranscriptProps, TranscriptState> {
  override state: TranscriptState = { more: false };
  private readonly scroller = createRef<HTMLDivElement>();
  private readonly content = createRef<HTMLDivElement>();
  private atEnd = true;
  private height = 0;
  private sizes: ResizeObserver | undefined;

  override componentDidMount(): void {
    const { scroll } = kept();
    this.sizes = new ResizeObserver(() => {
      this.settle();
    });
    if (this.content.current) this.sizes.observe(this.content.current);
    if (this.scroller.current) this.sizes.observe(this.scroller.current);
    if (scroll?.session === this.props.view.id && this.scroller.current) {
      this.atEnd = false;
      this.scroller.current.scrollTop = scroll.top;
    }
    this.settle();
  }

  override componentWillUnmount(): void {
    this.sizes?.disconnect();
  }

  override componentDidUpdate({ view }: TranscriptProps): void {
    // A prompt of one's own is worth seeing.
    const asked = view.id !== this.props.view.id || this.props.view.tasks.length > view.tasks.length;
    if (asked) {
      this.atEnd = true;
      this.settle();
    } // else it is settled once the new height is known, without asking for it
    if (!this.atEnd && !this.state.more && view.seq !== this.props.view.seq) this.setState({ more: true });
  }

  override render(): JSX.Element {
    const { view, restricted } = this.props;
    const first = view.turns.length - DRAWN;
    return (
      <div class="transcript" ref={this.scroller} onScroll={this.scrolled} tabIndex={-1}>
        <div class="content" ref={this.content}>
          {view.turns.map((turn, index) => {
            const row = <TurnRow turn={turn} view={view} restricted={restricted} last={index === view.turns.length - 1} />;
            return (
              <Lazy key={turn.key} pinned={index >= first}>
                {row}
              </Lazy>
            );
          })}
        </div>
        {this.state.more && (
          <button type="button" class="more" onClick={this.toEnd}>
            <Icon name="arrowDown" /> New messages
          </button>
        )}
      </div>
    );
  }

  private readonly scrolled = (): void => {
    const scroller = this.scroller.current;
    if (!scroller) return;
    const { scrollTop, scrollHeight, clientHeight } = scroller;
    // What grew below is no movement of the person's.
    if (scrollHeight === this.height || scrollTop + clientHeight >= scrollHeight - NEAR) {
      this.atEnd = scrollTop + clientHeight >= scrollHeight - NEAR;
    }
    if (this.atEnd && this.state.more) this.setState({ more: false });
    keep({ scroll: this.atEnd ? null : { session: this.props.view.id, top: scrollTop } });
  };

  private settle(): void {
    const scroller = this.scroller.current;
    if (!scroller) return;
    if (this.atEnd) scroller.scrollTop = scroller.scrollHeight;
    this.height = scroller.scrollHeight;
  }

  private readonly toEnd = (): void => {
    this.atEnd = true;
    this.setState({ more: false });
    this.settle();
  };
}

function TurnRow({ turn, view, restricted, last }: TranscriptProps & { turn: TurnOf; last: boolean }): JSX.Element {
  const task = view.tasks.find(({ id }) => id === turn.task);
  const mine = <Row extends { readonly task: string }>(rows: readonly Row[]): readonly Row[] => {
    return task ? rows.filter((row) => row.task === task.id) : [];
  };
  return <Turn turn={turn} task={task} changes={mine(view.changes)} approvals={mine(view.approvals)} last={last} restricted={restricted} />;
}

/** An old turn: an empty place of its height, until it comes near to what is seen. */
class Lazy extends Component<{ children: JSX.Element; pinned: boolean }, { near: boolean }> {
  override state = { near: this.props.pinned };
  private readonly place = createRef<HTMLDivElement>();
  private height = 160;
  private watch: IntersectionObserver | undefined;

  override componentDidMount(): void {
    const { current } = this.place;
    if (!current) return;
    if (!this.state.near) current.style.minHeight = `${this.height}px`;
    this.watch = new IntersectionObserver(
      ([entry]) => {
        if (!entry) return;
        const near = entry.isIntersecting || this.props.pinned;
        if (!near) this.height = current.offsetHeight;
        // A place that is filled has the height of what is in it.
        current.style.minHeight = near ? "" : `${this.height}px`;
        if (near !== this.state.near) this.setState({ near });
      },
      { rootMargin: "1500px 0px" },
    );
    this.watch.observe(current);
  }

  override componentDidUpdate({ pinned }: { pinned: boolean }): void {
    if (!pinned || this.props.pinned || !this.place.current) return;
    // Where it is now is told anew.
    this.watch?.unobserve(this.place.current);
    this.watch?.observe(this.place.current);
  }

  override componentWillUnmount(): void {
    this.watch?.disconnect();
  }

  override render(): JSX.Element {
    return <div ref={this.place}>{this.state.near || this.props.pinned ? this.props.children : null}</div>;
  }
}
