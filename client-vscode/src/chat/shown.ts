// Which session the chat shows. It follows the person: a task that is started anywhere is shown, unless the session on
// view is itself at work, and a session that was left empty on purpose stays so until something is started in it.
import { firstLine } from "../plainText";
import type { KaajEvent, SnapshotResult } from "../protocol.gen";
import type { ViewState } from "../state/projection";

export class Shown {
  private id: string | undefined;
  private chosen = false;

  get session(): string | undefined {
    return this.id;
  }

  /** Show this one; undefined for a new session, which has no id before its first task. */
  choose(session: string | undefined): void {
    this.id = session;
    this.chosen = true;
  }

  /** Whether another session is shown now. */
  heard(event: KaajEvent, state: ViewState): boolean {
    if (event.type !== "task_started" || event.session === this.id || this.busy(state)) return false;
    this.choose(event.session);
    return true;
  }

  /** A snapshot that nobody asked for by name is of the session that was last active. */
  snapshot({ session }: SnapshotResult): void {
    if (this.id === undefined && !this.chosen) this.id = session;
  }

  /** The other session that works now, if there is one. */
  elsewhere(state: ViewState): { session: string; title: string } | undefined {
    for (const { id, tasks } of state.values()) {
      const running = id === this.id ? undefined : tasks.find(({ status }) => status === "running");
      if (running) return { session: id, title: firstLine(running.prompt, 80) };
    }
    return undefined;
  }

  private busy(state: ViewState): boolean {
    const view = this.id === undefined ? undefined : state.get(this.id);
    return view?.tasks.some(({ status }) => status === "running") ?? false;
  }
}
