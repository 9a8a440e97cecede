"""todo(items): the plan, whose statuses follow evidence and not words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kaaj_agent.ports import ToolSpec
from kaaj_agent.prompt import todo_text
from kaaj_agent.todo import Status, from_model
from kaaj_agent.tools.bench import Bench, Tool, ToolResult, refusal, schema

ITEMS_MAX: Final = 40


async def run(bench: Bench, arguments: Mapping[str, Any]) -> ToolResult:
    rows: list[tuple[str, Status]] = [
        (str(item["title"]).strip()[:300], _status(item.get("status"))) for item in arguments["items"]
    ]
    rows = [row for row in rows if row[0]][:ITEMS_MAX]
    if not rows:
        return refusal("The list is empty; give it at least one item.")
    before = bench.get_todo()
    hunks: dict[str, tuple[str, ...]] = {}
    for file in bench.staging.files:
        for hunk in file.hunks:
            if hunk.todo:
                hunks[hunk.todo] = (*hunks.get(hunk.todo, ()), hunk.id)
    after = from_model(rows, before, hunks, bench.notes, bench.get_removed(), keep_order=bench.ordered())
    if after.running is None and (first := next((i for i in after.items if i.status == "pending"), None)):
        after = after.start(first.id)
    bench.set_todo(after)
    wanted = {title.casefold() for title, status in rows if status == "done"}
    open_still = [i.title for i in after.items if i.title.casefold() in wanted and i.status not in ("done", "skipped")]
    note = ""
    if open_still:
        note = "\nStill open, as nothing was staged, run or read for it: " + "; ".join(open_still)
    return ToolResult(todo_text(after) + note, f"{after.finished}/{len(after.items)} done")


def _title(count: int) -> str:
    return f"Plan ({count} {'item' if count == 1 else 'items'})"


def _status(word: object) -> Status:
    """The status that a word means; models were taught other words than ours. Unknown ones mean pending."""
    name = str(word or "").strip().lower().replace("-", "_").replace(" ", "_")
    if name in ("done", "completed", "complete", "finished"):
        return "done"
    return "running" if name in ("running", "in_progress", "active", "started", "doing") else "pending"


TOOL: Final = Tool(
    ToolSpec(
        "todo",
        "Write the whole to-do list, in order.",
        schema(
            {
                "items": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "title": {"type": "string"},
                            "status": {"type": "string", "enum": ["pending", "running", "done"]},
                        },
                        "required": ["title", "status"],
                    },
                }
            }
        ),
    ),
    lambda a: _title(len(a.get("items") or [])),
    run,
)
