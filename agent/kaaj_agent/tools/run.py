"""run(command): a shell command in the shadow workspace, never in the user's tree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.command_policy.shown import visible
from kaaj_agent.ports import ToolSpec
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema

KEPT_FROM: Final = 1_000
"""Characters of output from which on it is kept, to be read again when it is no longer in view."""


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    command: str = arguments["command"]
    if not command.strip():
        return refusal("An empty command; nothing was run.")
    if bench.mcp is not None and command.lstrip().startswith("mcp:"):
        return await bench.mcp(command)
    answer = await bench.command(command)
    if isinstance(answer, str):
        return refusal(answer)
    result, staged = answer
    how = "timed out" if result.timed_out else f"exit code {result.exit_code}"
    name = ""
    if bench.outputs is not None and len(result.output) > KEPT_FROM:
        name = await bench.outputs.keep(command, result.whole or result.output)
    where = f" ({name})" if name else ""
    output = result.output.rstrip() or "(no output)"
    rows = [f"{how} after {result.seconds:.1f} s{where}", output]
    if result.cut and name:
        rows.append(f"[the whole of it: read {name}, with start and end]")
    if staged:
        rows.append("The command changed files, which are now staged: " + ", ".join(staged))
    if result.left_out:
        rows.append(f"{result.left_out} The next command finds that as it was.")
    ok = not result.timed_out and result.exit_code == 0
    return ToolResult("\n".join(rows), how, ok=ok, key=f"{how}\n{output}\n{staged}{result.left_out}")


TOOL: Final = Tool(
    ToolSpec(
        "run",
        "Run a shell command at the workspace root, such as a test, a build, `git log`, `mv` or `rm`.",
        schema({"command": {"type": "string"}}),
    ),
    lambda a: f"Run {visible(str(a['command']).splitlines()[0][:80], lines=False) if a.get('command') else ''}",
    run,
)
