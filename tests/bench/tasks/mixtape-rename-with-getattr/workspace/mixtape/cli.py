"""The command line: mixtape plan LIST MINUTES [order|pack]"""

import sys
from pathlib import Path

from mixtape import tape
from mixtape.booklet import booklet
from mixtape.m3u import read_m3u


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    if len(words) not in (3, 4) or words[0] != "plan" or words[-1] not in tape.METHODS and len(words) == 4:
        print("usage: mixtape plan LIST MINUTES [order|pack]", file=sys.stderr)
        return 2
    tracks = read_m3u(Path(words[1]).read_text(encoding="utf-8"))
    method = getattr(tape, tape.METHODS[words[3] if len(words) == 4 else "order"])
    a, b, rest = method(tracks, int(words[2]) * 60)
    print(booklet([a, b], rest), end="")
    return 0 if not rest else 1
