"""The matcher of `search`, run as a program of its own.

Python's `re` can take exponential time and holds the interpreter's lock meanwhile; a process can be stopped. One
JSON object comes on stdin: `pattern`, `files` (paths in order), `texts` (by path, in place of the disk), `limit`,
`width`. Each match goes to stdout as a JSON line `[index of the file, line from 1, text]`, and `"cut"` at the end
where there is more.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kaaj_agent import disk
from kaaj_agent.failures import FileError
from kaaj_agent.redaction import whole


def main() -> None:
    """Read the request from stdin, write the matches to stdout as they are found."""
    request = json.loads(sys.stdin.buffer.read())
    for row in matches(request):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


def matches(request: dict[str, Any]) -> Iterator[list[Any] | str]:
    regex = re.compile(request["pattern"])
    texts: dict[str, str] = request["texts"]
    left = int(request["limit"])
    for index, path in enumerate(request["files"]):
        text = texts.get(path)
        if text is None:
            try:
                text = disk.read(Path(path)).text
            except FileError:
                continue
        text = whole(text)
        for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
            found = regex.search(line)
            if found is None:
                continue
            if left == 0:
                yield "cut"
                return
            left -= 1
            yield [index, number, around(line, found.start(), found.end(), int(request["width"]))]


def around(line: str, start: int, end: int, width: int) -> str:
    """At most `width` characters of a line (marks for what was cut not counted), with the match in them."""
    if len(line) <= width:
        return line
    first = max(0, min(start - max(0, width - (end - start)) // 2, len(line) - width))
    last = first + width
    return ("…" if first else "") + line[first:last] + ("…" if last < len(line) else "")
