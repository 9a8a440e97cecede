"""diagnostics(path?): the problems that the editor shows, and what does not parse in the staged files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.ports import ToolSpec
from kaaj_agent.prompt import problem_line
from kaaj_agent.syntax import parse_error
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, schema

PROBLEMS_MAX: Final = 60


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    path = await bench.path(arguments["path"]) if arguments.get("path") else None
    touched = {file.path for file in bench.staging.files}
    found = [p for p in await bench.diagnoser.diagnostics(path) if p.path not in touched]
    hidden = await asyncio.to_thread(lambda: {p for p in {one.path for one in found} if bench.ignore.ignored(p)})
    known = [p for p in found if p.path not in hidden]
    rows = [problem_line(bench.staging.folders, problem) for problem in known[:PROBLEMS_MAX]]
    if len(known) > PROBLEMS_MAX:
        rows.append(f"[{len(known) - PROBLEMS_MAX} more]")
    for file in bench.staging.files:
        if file.after is None or (path is not None and file.target != path):
            continue
        problem = await asyncio.to_thread(parse_error, file.target, file.after)
        if problem is not None:
            place = f"{bench.name(file.target)}:{problem.line}:{problem.column}"
            rows.append(f"{place}: error: {problem.message} [as staged]")
    about = bench.name(path) if path else "the workspace"
    return ToolResult("\n".join(rows) or f"No problems known in {about}.", f"{len(rows)} known")


TOOL: Final = Tool(
    ToolSpec("diagnostics", "The editor's current problems.", schema({}, {"path": {"type": "string"}})),
    lambda a: f"Problems {a.get('path') or ''}".rstrip(),
    run,
    reads=True,
)
