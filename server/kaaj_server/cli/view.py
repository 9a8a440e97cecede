"""What a person sees of a task: the plan ticking off, a line per tool, and what it cost.

On a terminal the plan lives at the bottom and changes in place; elsewhere each change is one plain line. The view is
a projection of the event stream and keeps nothing that is not in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from kaaj_protocol import events as ev
from kaaj_protocol.shapes import TodoItem, Usage

_REFRESH: Final = 10
"""Frames a second of the living part."""

_PLAN_MIN: Final = 6
"""Rows of a plan that are shown however small the terminal is."""

_STYLES: Final = {"done": "green", "failed": "red", "skipped": "dim", "running": "bold", "pending": "dim"}
_LEVELS: Final = {"info": "dim", "warning": "yellow", "error": "red"}


@dataclass(frozen=True, slots=True)
class Marks:
    """The signs before a line, in what the terminal's encoding can show."""

    done: str = "✓"
    failed: str = "✗"
    skipped: str = "–"
    running: str = "▸"
    pending: str = "○"
    dot: str = "·"
    minus: str = "−"
    ellipsis: str = "…"
    spinner: str = "dots"

    @classmethod
    def of(cls, console: Console) -> Marks:
        """Plain ASCII where the stream is not Unicode."""
        if console.encoding.lower().startswith("utf"):
            return cls()
        return cls("+", "x", "-", ">", "o", "-", "-", "...", "line")

    def item(self, status: str) -> str:
        return str(getattr(self, status, self.pending))


def seconds(value: float) -> str:
    """A span for people: 0.4 s, 12 s, 2 min 5 s."""
    if value < 9.95:
        return f"{value:.1f} s"
    if value < 59.5:
        return f"{value:.0f} s"
    return f"{int(value + 0.5) // 60} min {int(value + 0.5) % 60} s"


def tokens(usage: Usage) -> int:
    """All tokens of the requests, those from the cache included."""
    return usage.prompt_tokens + usage.completion_tokens


@dataclass
class TaskView:
    """Draws one task. `show` takes each event in order; `close` leaves the screen as it should stay."""

    console: Console
    clock: Callable[[], float] = time.monotonic
    marks: Marks = field(init=False)
    items: list[TodoItem] = field(default_factory=list[TodoItem], init=False)
    usage: Usage | None = field(default=None, init=False)
    _started: float = field(init=False)
    _live: Live | None = field(default=None, init=False)
    _tools: dict[str, ev.ToolStarted] = field(default_factory=dict[str, ev.ToolStarted], init=False)
    _notes: dict[str, str] = field(default_factory=dict[str, str], init=False)
    _prose: str = field(default="", init=False)
    _told: dict[str, str] = field(default_factory=dict[str, str], init=False)
    _spinner: Spinner = field(init=False)

    def __post_init__(self) -> None:
        self.marks = Marks.of(self.console)
        self._started = self.clock()
        self._spinner = Spinner(self.marks.spinner, style="cyan")

    @property
    def lively(self) -> bool:
        """Whether the plan changes in place."""
        return self.console.is_terminal and not self.console.is_dumb_terminal

    # --- the life of the view -------------------------------------------------------------------------------------

    def resume(self) -> None:
        """Begin to draw (again)."""
        if self.lively and self._live is None:
            self._live = Live(
                get_renderable=self._picture, console=self.console, refresh_per_second=_REFRESH, transient=True
            )
            self._live.start()

    def pause(self) -> None:
        """Take the living part away, so that a question can be asked."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def close(self) -> None:
        """Leave the plan as it ended. May be called more than once."""
        self._end_paragraph()
        was_live = self._live is not None
        self.pause()
        if was_live and self.items:
            self.console.print()
            self.console.print(self._plan(limit=len(self.items)))

    # --- events ---------------------------------------------------------------------------------------------------

    def show(self, event: ev.Event) -> None:
        """Draw one event. What a change contains is not drawn here: see `changeview`."""
        if isinstance(event, ev.Text):
            self._prose = event.text if event.reset else self._prose + event.text
            return
        self._end_paragraph()
        match event:
            case ev.ToolStarted():
                self._tools[event.call] = event
            case ev.ToolProgress():
                self._notes[event.call] = event.note
            case ev.ToolFinished():
                self._notes.pop(event.call, None)
                self._tool_line(event, self._tools.pop(event.call, None))
            case ev.Todo():
                self._todo(event.items)
            case ev.UsageEvent():
                self.usage = event.usage
            case ev.Notice():
                self.notice(event.level, event.message)
            case _:
                pass

    def notice(self, level: str, message: str) -> None:
        """A word of Kaaj's own."""
        mark = self.marks.failed if level == "error" else "!" if level == "warning" else self.marks.dot
        self._row(mark, message, _LEVELS.get(level, ""))

    def _end_paragraph(self) -> None:
        text = self._prose.strip()
        self._prose = ""
        if text:
            self._row(" ", text, "dim")

    def _tool_line(self, event: ev.ToolFinished, begun: ev.ToolStarted | None) -> None:
        if begun is not None and begun.tool == "todo" and event.ok:
            return  # the plan itself shows it
        title = begun.title if begun else "a tool"
        took = event.time - begun.time if begun else 0.0
        line = Text(title)
        summary = _said(title, event.summary)
        if summary:
            line.append(f"  {summary}", style="dim" if event.ok else "yellow")
        if took >= 1:
            line.append(f"  {seconds(took)}", style="dim")
        self._row(self.marks.dot if event.ok else "!", line, "dim" if event.ok else "yellow")

    def _todo(self, items: list[TodoItem]) -> None:
        before, self.items = self._told, items
        self._told = {item.id: item.status for item in items}
        if self.lively:
            return
        if not before and items:
            self.console.print(Text("Plan", style="bold"))
        for item in items:
            status = before.get(item.id)
            if status is None or (status != item.status and item.status in ("done", "failed", "skipped")):
                self._row(self.marks.item(item.status), item.title, _STYLES.get(item.status, ""))

    def _row(self, mark: str, body: str | Text, style: str) -> None:
        """A line with a hanging indent on a terminal, and as it stands elsewhere."""
        if not self.console.is_terminal:
            plain = body if isinstance(body, str) else body.plain
            self.console.print(Text(f"  {mark} " + plain.replace("\n", "\n    ")))
            return
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=2, justify="right")
        grid.add_column(overflow="fold")
        grid.add_row(Text(mark, style=style), Text(body, style=style) if isinstance(body, str) else body)
        self.console.print(grid)

    # --- pictures -------------------------------------------------------------------------------------------------

    def _picture(self) -> RenderableType:
        rows: list[RenderableType] = []
        if self.items:
            rows += [Text(), self._plan(max(_PLAN_MIN, self.console.height - 8))]
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=2, justify="right")
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_row(self._spinner, Text.assemble(self._doing(), (f"  {self.cost()}", "dim")))
        return Group(*rows, *([Text()] if rows else []), grid)

    def _plan(self, limit: int) -> RenderableType:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column(width=2, justify="right")
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for item in _window(self.items, limit):
            style = _STYLES.get(item.status, "")
            mark: RenderableType = Text(self.marks.item(item.status), style=style)
            grid.add_row(mark, Text(item.title, style="" if item.status == "done" else style))
        if len(self.items) > limit:
            grid.add_row("", Text(f"{self.marks.ellipsis} of {len(self.items)}", style="dim"))
        return grid

    def _doing(self) -> str:
        if self._tools:
            tool = next(reversed(self._tools.values()))
            return f"{tool.title}  {self._notes.get(tool.call, '')}".rstrip()
        line = self._prose.strip().rpartition("\n")[2]
        if line:
            return line if len(line) < 60 else self.marks.ellipsis + line[-58:]
        return "thinking"

    def cost(self) -> str:
        """What the task took so far, in one line."""
        parts = [seconds(self.clock() - self._started)]
        if self.usage is not None and tokens(self.usage):
            parts.append(f"{tokens(self.usage):,} tokens")
        return f" {self.marks.dot} ".join(parts)


def _said(title: str, summary: str) -> str:
    """What a summary says that the title did not: `Read a.py` and `a.py 1-20` leave `lines 1-20`."""
    subject = title.partition(" ")[2]
    if not subject or not summary.startswith(subject):
        return summary
    rest = summary[len(subject) :].lstrip(" :")
    if rest.isdigit():
        return f"line {rest}"
    return f"lines {rest}" if rest.replace("-", "").isdigit() else rest


def _window(items: list[TodoItem], limit: int) -> list[TodoItem]:
    """At most `limit` items, with the one that runs among them."""
    if len(items) <= limit:
        return items
    at = next((n for n, item in enumerate(items) if item.status in ("running", "pending")), len(items) - 1)
    first = max(0, min(at - limit // 2, len(items) - limit))
    return items[first : first + limit]
