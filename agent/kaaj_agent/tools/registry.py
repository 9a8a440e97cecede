"""All tools by name, in the order in which the model sees them; the order is a part of the prompt."""

from __future__ import annotations

from typing import Final

from kaaj_agent.tools import diagnostics, edit, explore, list_files, read, run, search, todo, write
from kaaj_agent.tools.bench import Tool

TOOLS: Final[dict[str, Tool]] = {
    tool.spec.name: tool
    for tool in (
        todo.TOOL,
        read.TOOL,
        search.TOOL,
        list_files.TOOL,
        edit.TOOL,
        write.TOOL,
        run.TOOL,
        diagnostics.TOOL,
        explore.TOOL,
    )
}

SPECS: Final = tuple(tool.spec for tool in TOOLS.values())
