"""What was meant as a call and opens none: it is answered, so that the model does not take it for done."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator

from kaaj_agent.model.dialects.openings import Openings

NAMELESS = "tool_call"
"""The name of a call of which not even that can be read."""
PLACES = 20
LONGEST = 50_000
"""How many places are looked at, and characters of what stands there: data in a reply may be large and many."""
_ARGUMENTS = re.compile(r"\"(?:arguments|parameters)|(?:arguments|parameters)\"|</\s*(?:tool_call|function)\s*>")
_TAGS = re.compile(r"<\s*/?\s*(?:tool_call|function)\b")
_END = re.compile(r"^[ \t]*(?:`{3,}|~{3,})|\n[ \t]*\r?\n", re.MULTILINE)


def unread(text: str, openings: Openings, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """The tool (as far as it can be told) and what is wrong, for each such call of a whole reply."""
    for start, known in dict(openings.odd[:PLACES]).items():
        end = _END.search(text, start, start + LONGEST)
        last = known if known >= 0 else end.start() if end else len(text)
        block = text[max(start, last - LONGEST) if known >= 0 else start : last]
        name = _called(block, names) if len(block) <= LONGEST else ""
        if name and not _is_json(block):
            yield name, "its form cannot be read"
    if openings.broken >= 0:
        rest = text[openings.broken :]
        if _TAGS.search(rest, 1) or _called(rest, names):
            yield name_among(rest, names) or NAMELESS, "its beginning is broken, and nothing behind it was executed"


def _called(text: str, names: Collection[str]) -> str:
    """The tool that is named as in a call, whose arguments follow or whose end does; "" where there is none."""
    quoted = [one for one in names if re.search(rf"[\"=]{re.escape(one)}|{re.escape(one)}\"", text)]
    return name_among(text, quoted) if _ARGUMENTS.search(text) else ""


def name_among(text: str, names: Collection[str]) -> str:
    return min(((text.index(name), name) for name in names if name in text), default=(0, ""))[1]


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True
