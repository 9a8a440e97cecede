// A line for a person in which names stand between backticks: drawn as code, everything else as it is.
import type { JSX } from "preact";

export function Inline({ text }: { text: string }): JSX.Element {
  const parts = text.split("`");
  // An odd one out is a character like any other.
  if (parts.length % 2 === 0) return <>{text}</>;
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}</>;
}
