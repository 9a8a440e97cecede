"""What comments in selected lines ask for. The lines come from anyone's files: each look at them is bounded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_LINES_MAX: Final = 400
"""Lines of a selection that are looked at; who selects more wants something else than one comment done."""
_LINE_MAX: Final = 400
"""Characters of a line that are looked at."""
_OPENING: Final = r"(?:#|//|--|;|/\*|<!--|%|\")[ \t]*"
_TO_DO: Final = re.compile(rf"{_OPENING}(?:TODO|FIXME|XXX|kaaj)\b", re.IGNORECASE)
_INSTRUCTION: Final = re.compile(rf"{_OPENING}kaaj:(.+)", re.IGNORECASE)


def asks_for_work(lines: Sequence[str]) -> bool:
    """Whether there is a TODO or its like."""
    return any(_TO_DO.search(line, 0, _LINE_MAX) for line in lines[:_LINES_MAX])


def instruction_in(lines: Sequence[str]) -> str:
    """The text of the first comment `kaaj: …`, without the comment's end; empty where there is none."""
    for line in lines[:_LINES_MAX]:
        found = _INSTRUCTION.search(line, 0, _LINE_MAX)
        if found is not None:
            text = found[1].strip().removesuffix("*/").removesuffix("-->").strip()
            if text:
                return text
    return ""
