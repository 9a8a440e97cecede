// The to-do list in few pixels: a bar of its items and the one at work; the whole list on demand.
import { Component, type JSX } from "preact";
import type { TodoItem } from "../src/protocol.gen";
import { Icon, type IconName } from "./icons";
import { Inline } from "./inline";

const ICONS: Record<TodoItem["status"], IconName> = {
  pending: "circle",
  running: "loading",
  done: "pass",
  failed: "error",
  skipped: "skipped",
};

interface TodoListProps {
  readonly todo: readonly TodoItem[];
  /** Shown in full to begin with. */
  readonly open?: boolean;
  /** The task runs: the item at work is named. */
  readonly live?: boolean;
}

export class TodoList extends Component<TodoListProps, { open: boolean | undefined }> {
  override state: { open: boolean | undefined } = { open: undefined };

  override render(): JSX.Element {
    const { todo, live = false } = this.props;
    const open = this.state.open ?? this.props.open ?? false;
    const settled = todo.filter(({ status }) => status === "done" || status === "skipped").length;
    const current = todo.find(({ status }) => status === "running") ?? todo.find(({ status }) => status === "pending");
    const title = live && current ? current.title : settled === todo.length ? "All to-dos done" : "To-do list";
    return (
      <div class={`todo${live ? " live" : ""}`}>
        <button type="button" class="todo-line" aria-expanded={open} onClick={() => { this.setState({ open: !open }); }}>
          <Icon name={open ? "chevronDown" : "chevronRight"} />
          <span class="todo-title" title={title}>
            <Inline text={title} />
          </span>
          <span class="todo-count">
            {settled}/{todo.length}
          </span>
        </button>
        <div class="todo-bar" aria-hidden="true">
          {todo.map(({ id, status }) => (
            <i key={id} class={status} />
          ))}
        </div>
        {open && (
          <ol class="todo-items">
            {todo.map((item) => (
              <li key={item.id} class={item.status} title={[item.evidence?.note, item.evidence?.check, item.title].find(Boolean)}>
                <Icon name={ICONS[item.status]} spin={item.status === "running"} />
                <span>
                  <Inline text={item.title} />
                </span>
                <span class="sr">, {item.status}</span>
              </li>
            ))}
          </ol>
        )}
      </div>
    );
  }
}
