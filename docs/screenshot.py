"""A terminal's screen as an SVG: how docs/demo.svg is made from a real run.

tmux new-session -d -s demo -x 84 -y 60 '.venv/bin/kaaj demo --yes; sleep 60'
tmux capture-pane -t demo -p -e | .venv/bin/python docs/screenshot.py "make demo" > docs/demo.svg
"""

from __future__ import annotations

import io
import re
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 84


def main() -> None:
    title = sys.argv[1] if len(sys.argv) > 1 else ""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.from_ansi(sys.stdin.read().rstrip()))
    svg = console.export_svg(title=title)
    # No fonts from elsewhere: the reader's own monospace will do.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    sys.stdout.write(svg.replace("Fira Code, monospace", "monospace"))


if __name__ == "__main__":
    main()
