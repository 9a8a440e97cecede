// Below the text: the mode, the model with its context window, what the task took, send and stop.
import type { JSX } from "preact";
import type { Mode, Standing } from "../src/chat/messages";
import type { Usage } from "../src/protocol.gen";
import type { SessionView } from "../src/state/projection";
import { post } from "./host";
import { Icon } from "./icons";
import { ModeMenu } from "./modeMenu";
import { costText, fullness, tokensText, spent, usageTitle, windowSize } from "./usage";

interface FooterProps {
  readonly standing: Standing;
  readonly view: SessionView | null;
  readonly mode: Mode;
  readonly choose: (mode: Mode) => void;
  readonly mention: () => void;
  /** The task that runs. */
  readonly running: string | undefined;
  readonly canSend: boolean;
}

export function Footer({ standing, view, mode, choose, mention, running, canSend }: FooterProps): JSX.Element {
  const usage = newestUsage(view);
  return (
    <div class="footer">
      <ModeMenu mode={mode} choose={choose} locked={standing.restricted} />
      <button type="button" class="quiet" title="Add context (@)" aria-label="Add context" onClick={mention}>
        <Icon name="mention" />
      </button>
      <span class="spacer" />
      <Model standing={standing} view={view} />
      {usage && (
        <span class="dim took" title={usageTitle(usage)}>
          {tokensText(spent(usage))}
          {costText(usage.cost) && <span class="cost"> · {costText(usage.cost)}</span>}
        </span>
      )}
      {running !== undefined && (
        <button type="button" class="quiet stop" title="Stop (Escape)" aria-label="Stop the task" onClick={() => { post({ type: "stop", task: running }); }}>
          <Icon name="stop" />
        </button>
      )}
      {(running === undefined || canSend) && (
        <button type="submit" class="send" title="Send (Enter)" aria-label="Send" disabled={!canSend}>
          <Icon name="send" />
        </button>
      )}
    </div>
  );
}

/** Of the newest task that asked the model for something. */
function newestUsage(view: SessionView | null): Usage | undefined {
  return view?.tasks.findLast(({ usage }) => usage.requests > 0)?.usage;
}

function Model({ standing, view }: { standing: Standing; view: SessionView | null }): JSX.Element | null {
  const { model } = standing;
  const usage = newestUsage(view);
  const full = fullness(usage, model?.context_window ?? 0);
  if (!model && full === undefined) return null;
  const size = windowSize(usage, model?.context_window ?? 0);
  const percent = full === undefined ? undefined : Math.round(full * 100);
  const taken = percent === undefined ? "" : `${(usage?.context_tokens ?? 0).toLocaleString("en")} of ${size.toLocaleString("en")} tokens of the context window (${percent} %)`;
  const name = model?.name ?? "";
  return (
    <span class="model" title={[model?.embedded ? `${name}, runs on this machine` : name, taken].filter(Boolean).join("\n")}>
      <span class="model-name dim">{name.split("/").at(-1)}</span>
      {percent !== undefined && (
        <svg class={percent >= 85 ? "gauge full" : "gauge"} viewBox="0 0 16 16" role="meter" aria-label="Context window" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={taken}>
          <circle cx="8" cy="8" r="6" pathLength="100" />
          <circle class="part" cx="8" cy="8" r="6" pathLength="100" stroke-dasharray={`${percent} 100`} />
        </svg>
      )}
    </span>
  );
}
