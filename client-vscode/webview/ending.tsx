// How a task ended, what it took, and what can be done now.
import type { JSX } from "preact";
import type { TaskView } from "../src/state/projection";
import { Icon, type IconName } from "./icons";
import { post } from "./host";
import { secondsText, usageText, usageTitle } from "./usage";
import { TodoList } from "./todoStrip";

const WORDS: Record<Exclude<TaskView["status"], "running">, { icon: IconName; text: string }> = {
  done: { icon: "pass", text: "Done" },
  stopped: { icon: "warning", text: "Stopped" },
  cancelled: { icon: "skipped", text: "Cancelled" },
  failed: { icon: "error", text: "Failed" },
};

interface EndingProps {
  readonly task: TaskView;
  readonly last: boolean;
  /** The model's last words: the summary is often the same. */
  readonly said: string;
  /** It runs, but the person's decision is what is waited for. */
  readonly waits: boolean;
  /** The workspace is not trusted: there is only `plan`. */
  readonly restricted: boolean;
}

export function Ending({ task, last, said, waits, restricted }: EndingProps): JSX.Element | null {
  const { status, summary, todo, usage, mode } = task;
  if (status === "running") return waits ? null : <Working />;
  const { icon, text } = WORDS[status];
  const time = task.ended === undefined ? "" : secondsText(task.ended - task.started);
  const told = summary.trim();
  const fresh = told !== "" && !said.trim().endsWith(told) && !said.includes(told);
  const plan = mode === "plan" && status === "done" && todo.length > 0;
  return (
    <div class={`ending ${status}`}>
      {todo.length > 0 && <TodoList todo={todo} open={plan && last} />}
      {fresh && <p class="summary">{told}</p>}
      <div class="ending-line">
        <span class="ending-status">
          <Icon name={icon} /> {plan ? "Planned" : text}
        </span>
        <span class="dim" title={usageTitle(usage)}>
          {[time, usage.requests > 0 ? usageText(usage) : ""].filter(Boolean).join(" · ")}
        </span>
        <span class="spacer" />
        {last && plan && !restricted && (
          <button type="button" class="primary" onClick={() => { post({ type: "runPlan", task: task.id }); }}>
            <Icon name="play" /> Run the plan
          </button>
        )}
        {last && status !== "done" && (
          <button type="button" class="secondary" onClick={() => { post({ type: "retry", task: task.id }); }}>
            <Icon name="refresh" /> Retry
          </button>
        )}
      </div>
    </div>
  );
}

function Working(): JSX.Element {
  return (
    <div class="working" aria-hidden="true">
      <i />
      <i />
      <i />
    </div>
  );
}
