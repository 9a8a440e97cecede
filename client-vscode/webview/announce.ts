// What a screen reader is told: finished paragraphs and what happened, each once, politely.

const KEPT = 4;
const LENGTH_MAX = 500;

const region = document.createElement("div");
region.className = "sr";
region.setAttribute("role", "log");
region.setAttribute("aria-live", "polite");
region.setAttribute("aria-label", "Kaaj says");

export function announcer(): HTMLElement {
  return region;
}

export function announce(text: string): void {
  const said = text.trim();
  if (said === "") return;
  const line = document.createElement("div");
  line.textContent = said.length > LENGTH_MAX ? `${said.slice(0, LENGTH_MAX)}…` : said;
  region.append(line);
  while (region.childElementCount > KEPT) region.firstElementChild?.remove();
}

/** A finished block of Markdown as it is to be said: a code block by its size alone. */
export function spokenBlock(source: string): string {
  const fence = /^ {0,3}(?:```+|~~~+)\s*(\S*)/.exec(source);
  if (!fence) return source.replaceAll(/[*_`#>|]+/g, "").trim();
  const lines = Math.max(0, source.trim().split("\n").length - 2);
  return `Code${fence[1] ? `, ${fence[1]}` : ""}, ${lines} ${lines === 1 ? "line" : "lines"}.`;
}
