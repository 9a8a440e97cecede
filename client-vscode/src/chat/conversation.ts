// The conversation as plain lines, for the output channel.
import type { KaajEvent } from "../protocol.gen";

/** What to append for an event; empty for those that say nothing in a conversation. */
export function conversationText(event: KaajEvent): string {
  switch (event.type) {
    case "task_started":
      return `\n> ${event.prompt.replaceAll("\n", "\n> ")}\n\n`;
    case "text":
      return (event.reset ? "\n[the reply was cut off and begins anew]\n" : "") + event.text;
    case "tool_started":
      return `\n· ${event.title}\n`;
    case "tool_finished":
      return `  ${event.ok ? "✓" : "✗"} ${event.summary}\n`;
    case "notice":
      return `\n[${event.level}] ${event.message}\n`;
    case "task_finished":
      return `\n[${event.status}] ${event.summary}\n`;
    case "todo":
    case "change":
    case "approval":
    case "usage":
      return "";
    default:
      return ""; // a type of a later server
  }
}
