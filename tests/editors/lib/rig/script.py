"""Answers of a scripted model that journeys share."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kaaj_agent.testing import Answer, answer, answer_calls

SUM: Final = {"path": "cart.py", "old": "result = price\n", "new": "result += price\n"}
COUNT: Final = {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"}
COMMA: Final = {"path": "shop.json", "old": '"shop"\n', "new": '"shop",\n'}


def todo(*titles: str, running: int = 0) -> tuple[str, Mapping[str, Any]]:
    """The call that writes the list: one item runs, those before it are done, those after it are open."""
    states = ["done"] * running + ["running"] + ["pending"] * (len(titles) - running - 1)
    return "todo", {"items": [{"title": title, "status": state} for title, state in zip(titles, states, strict=True)]}


def edit(*edits: Mapping[str, str]) -> Answer:
    return answer_calls(*(("edit", one) for one in edits))


def held(text: str, until: asyncio.Event, after: str = "") -> Answer:
    """Prose that stops in the middle until it is told to go on."""
    first, second = answer(text), answer(after)
    return replace(first, events=[*first.events, until, *second.events])


def mending_cart() -> Sequence[Answer]:
    """A list of two items, a hunk for each, and a word at the end."""
    titles = ("Sum the prices", "Count them rightly")
    return (
        answer_calls(todo(*titles), ("read", {"path": "cart.py"}), text="I will look. "),
        answer_calls(("edit", SUM), todo(*titles, running=1), ("edit", COUNT)),
        answer("The prices are **summed**, and `count` is right."),
    )
