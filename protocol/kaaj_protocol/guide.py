"""The table of the settings in docs/user-guide.md: `python -m kaaj_protocol.guide [--check]`.

It stands between two comments and is made from the models. `--check` writes nothing and exits 1 where it has drifted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from kaaj_protocol.schema import settings_schema
from kaaj_protocol.wire import Json

GUIDE: Final = Path(__file__).resolve().parents[2] / "docs" / "user-guide.md"
"""Where the guide stands in the repository. An installed package has none."""

_OPENER: Final = "<!-- settings: made by `make gen` -->\n"
_CLOSER: Final = "<!-- /settings -->"


def _values(row: dict[str, Json]) -> str:
    """The values that a setting takes, in words."""
    if "enum" in row:
        return ", ".join(f"`{value}`" for value in row["enum"])
    branches: list[dict[str, Json]] = row.get("anyOf", [row])
    kinds = [str(branch.get("type", "object")) for branch in branches]
    words = {"string": "text", "array": "list of texts", "integer": "whole number", "null": "unset"}
    return " or ".join(words.get(kind, kind) for kind in kinds)


def _rows() -> Iterator[str]:
    yield "| setting | values | default | meaning |"
    yield "|---|---|---|---|"
    for name, row in settings_schema()["properties"].items():
        default = row.get("default")
        shown = "" if default in ("", None) else f"`{json.dumps(default).strip(chr(34))}`"
        about = str(row["description"]).replace("|", "\\|")
        yield f"| `{name}` | {_values(row)} | {shown} | {about} |"


def renewed(text: str) -> str:
    """The guide with its table made anew. Raises ValueError where its two comments are not there."""
    head, opener, rest = text.partition(_OPENER)
    _, closer, tail = rest.partition(_CLOSER)
    if not opener or not closer:
        raise ValueError("the comments around the table of the settings are missing")
    return head + opener + "\n".join(_rows()) + "\n" + closer + tail


def main(arguments: Sequence[str]) -> int:
    before = GUIDE.read_text(encoding="utf-8")
    after = renewed(before)
    if "--check" in arguments:
        if after != before:
            sys.stderr.write(f"the settings in {GUIDE.name} have drifted: run `python -m kaaj_protocol.guide`\n")
        return int(after != before)
    GUIDE.write_text(after, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
