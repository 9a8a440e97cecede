"""The comparison as one Markdown table."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from tests.bench.peers.runs import Line

LEAVE_ALONE: Final = "leave-alone"
_HEAD: Final = (
    "agent", "solved", "left alone", "tokens a task", "prompt", "of it cached", "completion", "requests", "seconds",
    "timeouts",
)  # fmt: skip


def markdown(lines: Sequence[Line], model: str) -> str:
    """A row an agent, over the tasks that all of them have done; tokens, requests and seconds are means of a task.

    Tasks that are solved by leaving all as it is stand in a column of their own: an agent that can do nothing at all
    manages them as well.
    """
    mine = [line for line in lines if line.model == model]
    agents = list(dict.fromkeys(line.agent for line in mine))
    done = [{line.task for line in mine if line.agent == agent and not _unfit(line)} for agent in agents]
    shared = done[0].intersection(*done[1:]) if done else set[str]()
    rows = [_HEAD, tuple("---" if name == "agent" else "--:" for name in _HEAD)]
    for agent in agents:
        rows.append(_row([line for line in mine if line.agent == agent and line.task in shared]))
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    left = len({line.task for line in mine}) - len(shared)
    note = f"\n\n{left} tasks are left out: not every agent has done them." if left else ""
    return f"{model}, {len(shared)} tasks, one at a time:\n\n{body}{note}\n"


def _unfit(line: Line) -> bool:
    """Whether the task could not even be laid out here, which says nothing about the agent."""
    return bool(line.error) and not line.requests and not line.seconds


def _row(lines: Sequence[Line]) -> tuple[str, ...]:
    if not lines:
        return ("-",) * len(_HEAD)
    work = [line for line in lines if line.kind != LEAVE_ALONE]
    alone = [line for line in lines if line.kind == LEAVE_ALONE]

    def mean(values: Sequence[float], digits: int = 0) -> str:
        return f"{statistics.fmean(values):,.{digits}f}"

    prompt = sum(line.prompt_tokens for line in lines)
    cached = sum(line.cached_tokens for line in lines)
    return (
        f"{lines[0].agent} {lines[0].version}",
        f"{sum(line.solved for line in work)} of {len(work)}",
        f"{sum(line.solved for line in alone)} of {len(alone)}",
        mean([line.prompt_tokens + line.completion_tokens for line in lines]),
        mean([line.prompt_tokens for line in lines]),
        f"{cached / prompt:.0%}" if prompt else "-",
        mean([line.completion_tokens for line in lines]),
        mean([line.requests for line in lines], 1),
        mean([line.seconds for line in lines], 1),
        str(sum(line.status == "timeout" for line in lines)),
    )
