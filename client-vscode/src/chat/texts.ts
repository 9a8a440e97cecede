// Texts that go along with a prompt.

/** Characters of one piece of text that the protocol takes. */
export const TEXT_MAX = 200_000;

/** A zero byte near the beginning, or bytes that are no UTF-8, mean that it is no text for a model. */
export function isBinary(bytes: Uint8Array): boolean {
  if (bytes.subarray(0, 8192).includes(0)) return true;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return false;
  } catch {
    return true;
  }
}

/** A pasted text that would bury the prompt: it becomes a chip. */
export function isLong(text: string): boolean {
  return text.length > 2000 || (text.match(/\n/g)?.length ?? 0) >= 30;
}

/** What a pasted text is called: its first words. */
export function nameOf(text: string): string {
  const line = text.trim().split(/\r?\n/, 1)[0]?.trim() ?? "";
  const lines = text.trim().split(/\r?\n/).length;
  const head = line.length > 28 ? `${line.slice(0, 27).trimEnd()}…` : line;
  return `${head || "pasted text"} (${lines === 1 ? "1 line" : `${lines} lines`})`;
}
