// What is worth a message while the window is not looked at.
import { inert, unmarked } from "../plainText";
import type { KaajEvent } from "../protocol.gen";

export interface Message {
  readonly text: string;
  /** The change that a button shows. */
  readonly change?: string;
}

/**
 * Undefined where the event is not worth one. A question (`approval`) is put by the server as a message of its own, and
 * whoever cancels a task knows that it ends.
 */
export function messageOf(event: KaajEvent, changes: readonly { id: string; task: string; state: string }[]): Message | undefined {
  if (event.type === "change" && event.change.state === "proposed") {
    const what = inert(unmarked(event.change.summary), 120);
    return { text: `Kaaj has a change for you${what ? `: ${what}` : "."}`, change: event.change.id };
  }
  if (event.type !== "task_finished" || event.status === "cancelled") return undefined;
  const change = changes.findLast(({ task, state }) => task === event.task && state === "applied");
  const words = { done: "Kaaj is done", stopped: "Kaaj has stopped", failed: "Kaaj could not do it" }[event.status];
  const what = inert(unmarked(event.summary), 160);
  return { text: what ? `${words}: ${what}` : `${words}.`, ...(change ? { change: change.id } : {}) };
}
