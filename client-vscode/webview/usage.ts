// Tokens, cost and time in few characters.
import type { Usage } from "../src/protocol.gen";

export function tokensText(count: number): string {
  if (count < 1000) return `${count}`;
  if (count < 99_950) return `${(count / 1000).toFixed(1).replace(/\.0$/, "")}k`;
  if (count < 999_500) return `${Math.round(count / 1000)}k`;
  return `${(count / 1_000_000).toFixed(1).replace(/\.0$/, "")}M`;
}

/** Two digits that say something, for a price of any size; empty where no price is known or it is free. */
export function costText(cost: number | undefined): string {
  if (cost === undefined || cost <= 0) return "";
  if (cost >= 0.995) return cost.toFixed(2);
  return cost < 0.0001 ? "< 0.0001" : cost.toFixed(Math.min(4, 1 - Math.floor(Math.log10(cost))));
}

export function secondsText(seconds: number): string {
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** All tokens of the task: read and written. */
export function spent(usage: Usage): number {
  return usage.prompt_tokens + usage.completion_tokens;
}

export function usageText(usage: Usage): string {
  const cost = costText(usage.cost);
  return [`${tokensText(spent(usage))} tokens`, cost && `cost ${cost}`].filter(Boolean).join(" · ");
}

/** The whole of it, for a tooltip. */
export function usageTitle(usage: Usage): string {
  const plain = (count: number): string => count.toLocaleString("en");
  const cached = usage.cached_tokens > 0 ? ` (${plain(usage.cached_tokens)} from the cache)` : "";
  const lines = [
    `${plain(usage.requests)} ${usage.requests === 1 ? "request" : "requests"}`,
    `${plain(usage.prompt_tokens)} tokens read${cached}`,
    `${plain(usage.completion_tokens)} tokens written`,
  ];
  if (usage.cost !== undefined) lines.push(usage.cost === 0 ? "no cost" : `cost ${costText(usage.cost)}`);
  return lines.join("\n");
}

/** Tokens that the model can see at once: as the task found, or as the server knows; 0 where nobody does. */
export function windowSize(usage: Usage | undefined, known: number): number {
  return usage && usage.context_window > 0 ? usage.context_window : known;
}

/** Part of the window that the last prompt took, 0 to 1; undefined where it is not known. */
export function fullness(usage: Usage | undefined, window: number): number | undefined {
  const size = windowSize(usage, window);
  return usage && size > 0 ? Math.min(1, usage.context_tokens / size) : undefined;
}

/** How long ago, in words; both in seconds since the epoch. */
export function agoText(time: number, now: number): string {
  const seconds = Math.max(0, now - time);
  if (seconds < 60) return "now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d`;
  return new Date(time * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}
