// What the document of a check's output says.
import type { Check } from "../protocol.gen";

export function checkText({ command, output, seconds, status, parsed, exit_code, sandboxed }: Check): string {
  const ended = exit_code === undefined ? "" : `, exit code ${exit_code}`;
  const where = sandboxed ? ", in a sandbox" : "";
  const head = [
    command ? `$ ${command}` : "No command was run.",
    `# ${status}${ended}, ${seconds.toFixed(1)} s${where}${parsed ? "" : "; a file does not parse"}`,
  ];
  return `${head.join("\n")}\n\n${output || "(no output)"}\n`;
}
