// Chips: what goes along with a prompt. Those of the text field can be removed, by mouse and by keyboard.
import type { JSX } from "preact";
import { chipOf, keyOf } from "../src/chat/chips";
import type { ContextItem } from "../src/protocol.gen";
import { current } from "./app";
import { post } from "./host";
import { Icon } from "./icons";

interface ChipsProps {
  readonly items: readonly ContextItem[];
  readonly label: string;
  readonly remove?: (item: ContextItem) => void;
}

export function Chips({ items, label, remove }: ChipsProps): JSX.Element | null {
  if (items.length === 0) return null;
  return (
    <ul class="chips" aria-label={label}>
      {items.map((item) => {
        const { icon, label: name, title } = chipOf(item, current().standing.folders);
        const place = item.kind === "file" || item.kind === "range" ? item : undefined;
        return (
          <li key={keyOf(item)} class="chip" title={title}>
            <button
              type="button"
              class="chip-name"
              disabled={!place && !remove}
              onKeyDown={(event) => {
                if (remove && (event.key === "Delete" || event.key === "Backspace")) {
                  event.preventDefault();
                  toNeighbour(event.currentTarget);
                  remove(item);
                }
              }}
              onClick={() => {
                if (place) post({ type: "open", uri: place.uri, range: place.kind === "range" ? place.range : undefined });
              }}
            >
              <Icon name={icon} />
              <span>{name}</span>
            </button>
            {remove && (
              <button type="button" class="chip-remove" tabIndex={-1} aria-label={`Remove ${name}`} title="Remove (Delete)" onClick={() => { remove(item); }}>
                <Icon name="close" />
              </button>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/** The focus goes to the chip beside, or back to the text field. */
function toNeighbour(button: HTMLElement): void {
  const chip = button.closest("li");
  const beside = chip?.nextElementSibling ?? chip?.previousElementSibling;
  const next = beside?.querySelector<HTMLElement>(".chip-name") ?? button.closest(".composer")?.querySelector("textarea");
  next?.focus();
}
