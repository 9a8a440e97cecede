// The completion of an @ as a listbox; the focus stays in the text field.
import { Component, createRef, type JSX } from "preact";
import type { Candidate } from "../src/chat/messages";
import { Icon } from "./icons";

interface CandidatesProps {
  readonly rows: readonly Candidate[];
  readonly chosen: number;
  readonly choose: (index: number) => void;
}

export function candidateId(index: number): string {
  return `candidate-${index}`;
}

export class Candidates extends Component<CandidatesProps> {
  private readonly list = createRef<HTMLUListElement>();

  override componentDidUpdate(): void {
    this.list.current?.children[this.props.chosen]?.scrollIntoView({ block: "nearest" });
  }

  override render(): JSX.Element {
    const { rows, chosen, choose } = this.props;
    return (
      <ul ref={this.list} id="candidates" class="popup candidates" role="listbox" aria-label="Context to add">
        {rows.map(({ label, detail, icon }, index) => (
          <li
            key={`${icon}/${detail}/${label}`}
            id={candidateId(index)}
            role="option"
            aria-selected={index === chosen}
            onMouseDown={(event) => {
              event.preventDefault();
              choose(index);
            }}
          >
            <Icon name={icon} />
            <span class="candidate-label">{label}</span>
            <span class="dim candidate-detail">{detail}</span>
          </li>
        ))}
      </ul>
    );
  }
}
