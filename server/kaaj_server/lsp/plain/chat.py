"""The chat and the plan as documents that a person reads, and writes the next prompt into."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from kaaj_agent.todo import Evidence, TodoList

Json: TypeAlias = Any
MARK: Final = "<!-- kaaj: write below this line, then take the action or lens “Kaaj: send” -->"
_BOXES: Final = {"pending": "[ ]", "running": "[>]", "done": "[x]", "failed": "[!]", "skipped": "[-]"}


def chat_text(entries: Sequence[Mapping[str, Json]], prompt: str) -> str:
    """The conversation, then the mark, then what the person has begun to write."""
    rows = ["# Kaaj", ""]
    for entry in entries:
        match entry["kind"]:
            case "user":
                rows += ["## You", "", str(entry["text"]).strip(), ""]
            case "model":
                rows += [str(entry["text"]).strip(), ""]
            case "tool":
                ok = entry.get("ok")
                mark = "…" if ok is None else "✓" if ok else "✗"
                detail = f" — {entry['detail']}" if entry.get("detail") else ""
                if rows[-2].startswith("- "):
                    rows.pop()  # calls one after another are one list
                rows += [f"- {mark} {entry['text']}{detail}", ""]
            case _:
                rows += [f"> {entry.get('level', 'info')}: {entry['text']}", ""]
    return "\n".join([*rows, MARK]) + "\n" + (prompt or "\n")


def prompt_in(text: str) -> str:
    """What stands below the last mark, as it stands; empty where there is no mark."""
    _, mark, below = text.rpartition(MARK)
    if not mark:
        return ""
    return below.partition("\n")[2] if below.startswith(("\n", "\r\n")) else below


def above_mark(text: str) -> str:
    """What stands above the last mark: the server's part. Empty where there is no mark."""
    return text.rpartition(MARK)[0]


def mark_line(lines: Sequence[str]) -> int | None:
    """The line of the last mark, from 0."""
    return next((place for place in range(len(lines) - 1, -1, -1) if lines[place].startswith(MARK)), None)


def plan_text(prompt: str, todo: TodoList) -> tuple[str, dict[int, str]]:
    """The to-do list as a check list, and the lines (from 0) at which its items stand, with their ids."""
    rows = [f"# Plan: {prompt.strip().partition(chr(10))[0]}", "", f"{todo.finished} of {len(todo.items)} done", ""]
    places: dict[int, str] = {}
    for item in todo.items:
        places[len(rows)] = item.id
        rows.append(f"- {_BOXES[item.status]} {item.title}{_proof(item.evidence)}")
    return "\n".join(rows) + "\n", places


def _proof(evidence: Evidence) -> str:
    """What an item is done by: its hunks and their check, or the reason why it needed none."""
    count = len(evidence.hunks)
    hunks = f"{count} hunk{'s' * (count != 1)}" if count else ""
    parts = [part for part in (hunks, evidence.check, "" if hunks else evidence.note) if part]
    return f" ({', '.join(parts)})" if parts else ""
