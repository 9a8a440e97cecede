// The to-do list's progress, spoken or sounded. What is said is found by comparing the list with what it was.
import type { Speech } from "../src/chat/messages";
import type { TodoItem } from "../src/protocol.gen";

const NUMBERS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

export interface Saying {
  readonly text: string;
  readonly tone: "begun" | "done" | "failed" | "ended";
}

/** What happened between two states of a task's list; undefined where nothing is worth a word. */
export function saying(before: readonly TodoItem[], now: readonly TodoItem[]): Saying | undefined {
  if (before.length === 0) return now.length > 0 ? { text: "created a to-do list", tone: "begun" } : undefined;
  const was = new Map(before.map(({ id, status }) => [id, status]));
  const became = (status: TodoItem["status"]): number[] =>
    now.flatMap((item, index) => (item.status === status && was.get(item.id) !== status ? [index] : []));
  const failed = became("failed");
  if (failed.length > 0) return { text: `${items(failed)} failed`, tone: "failed" };
  const done = became("done");
  if (done.length === 0) return undefined;
  const all = now.every(({ status }) => status === "done" || status === "skipped");
  if (all) return { text: `${items(done)} done, the list is finished`, tone: "ended" };
  return { text: `${items(done)} done`, tone: "done" };
}

function items(indexes: readonly number[]): string {
  const names = indexes.map((index) => NUMBERS[index] ?? `${index + 1}`);
  const last = names.pop() ?? "";
  return names.length > 0 ? `items ${names.join(", ")} and ${last}` : `item ${last}`;
}

const TONES: Readonly<Record<Saying["tone"], readonly number[]>> = {
  begun: [523],
  done: [659],
  failed: [330, 262],
  ended: [523, 659, 784],
};

let audio: AudioContext | undefined;

export function say({ text, tone }: Saying, how: Speech): void {
  if (how === "speech" && "speechSynthesis" in window) speechSynthesis.speak(new SpeechSynthesisUtterance(text));
  if (how === "sound") sound(TONES[tone]);
}

function sound(tones: readonly number[]): void {
  audio ??= new AudioContext();
  const { currentTime, destination } = audio;
  tones.forEach((frequency, index) => {
    if (!audio) return;
    const start = currentTime + index * 0.12;
    const tone = new OscillatorNode(audio, { type: "sine", frequency });
    const gain = new GainNode(audio, { gain: 0 });
    gain.gain.setValueAtTime(0.08, start);
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.2);
    tone.connect(gain).connect(destination);
    tone.start(start);
    tone.stop(start + 0.22);
  });
}
