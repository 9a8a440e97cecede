"""The report of an evaluation: one HTML file that asks nobody for anything, and runs no script.

A grid of tasks by seeds, and of each run what happened when. All text in it came from a model or a workspace: it is
escaped, and the page's own policy allows styles and nothing else.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from kaaj_server.cli.eval_task import Result
from kaaj_server.cli.eval_timeline import Kind, Step

_LANES: Final[Mapping[Kind, str]] = {"request": "model", "tool": "tools", "check": "checks", "repair": "repair"}
_LANE_HEIGHT: Final = 16
_MARGIN: Final = 60
_WIDTH: Final = 900
_LEAST: Final = 2.0
"""Pixels of a step that took no time, so that it can be seen and pointed at."""

_STYLE: Final = """
:root { color-scheme: light dark; --page: #fff; --ink: #1d2129; --soft: #5d6673; --line: #d9dde3; --card: #f6f7f9;
  --good: #1a7f37; --bad: #b3261e; --odd: #8a5a00; --good-back: #d8f0de; --bad-back: #f9dcda; --odd-back: #fbebc8;
  --request: #3b6fd4; --tool: #6b7280; --check: #0f8577; --repair: #a244b8; }
@media (prefers-color-scheme: dark) { :root { --page: #16181d; --ink: #e4e7ec; --soft: #9aa3b0; --line: #343a44;
  --card: #1e2128; --good: #6fd58a; --bad: #ff8f86; --odd: #f0c060; --good-back: #16391f; --bad-back: #48201e;
  --odd-back: #40310f; --request: #7aa5ff; --tool: #9aa3b0; --check: #3fc0ae; --repair: #d58be8; } }
body { font: 14px/1.5 system-ui, sans-serif; background: var(--page); color: var(--ink); margin: 2rem auto;
  max-width: 76rem; padding: 0 1.5rem; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { color: var(--soft); margin: .25rem 0 1rem; } a { color: inherit; }
table { border-collapse: collapse; } th { font-weight: 600; text-align: left; white-space: nowrap; }
th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.said { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.cell { display: block; min-width: 1.9rem; text-align: center; border-radius: 4px; text-decoration: none; }
.good { color: var(--good); background: var(--good-back); } .bad { color: var(--bad); background: var(--bad-back); }
.odd { color: var(--odd); background: var(--odd-back); }
details { background: var(--card); border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; }
summary { padding: .5rem .75rem; cursor: pointer; } details > :not(summary) { margin: .25rem .75rem .75rem; }
details:target { outline: 2px solid var(--request); }
.mark { display: inline-block; min-width: 1.5rem; text-align: center; border-radius: 4px; margin-right: .4rem; }
svg { display: block; max-width: 100%; height: auto; } svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .row { stroke: var(--line); } svg .failed { stroke: var(--bad); stroke-width: 1.5; }
svg .request { fill: var(--request); } svg .tool { fill: var(--tool); }
svg .check { fill: var(--check); } svg .repair { fill: var(--repair); }
"""

Key = tuple[str, int | None]


def write_report(path: Path, results: Sequence[Result], steps: Mapping[Key, Sequence[Step]], model: str) -> None:
    """Write it, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(page(results, steps, model), "utf-8", errors="replace")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def page(results: Sequence[Result], steps: Mapping[Key, Sequence[Step]], model: str) -> str:
    """The whole page. Results come in the order in which the tasks shall stand."""
    solved = sum(result.solved for result in results)
    told = f" with {escape(model)}" if model else ""
    parts = [
        "<!doctype html>\n<html lang=en><head><meta charset=utf-8><title>Kaaj: evaluation</title>",
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        "<meta name=viewport content='width=device-width, initial-scale=1'>",
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>{solved} of {len(results)} runs solved{told}</h1>",
        f"<p>{_totals(results)}</p>",
        _grid(results),
        "<h2>What happened in each run</h2>",
        *(_run(number, result, steps.get(result.key, ())) for number, result in enumerate(results)),
        "</main></body></html>\n",
    ]
    return "\n".join(parts)


def _totals(results: Sequence[Result]) -> str:
    if not results:
        return "No run has come to a result."
    prompt = sum(result.prompt_tokens for result in results)
    cached = sum(result.cached_tokens for result in results)
    share = f", {cached / prompt:.0%} of the prompt from the cache" if prompt else ""
    tokens = prompt + sum(result.completion_tokens for result in results)
    seconds = statistics.median(result.seconds for result in results)
    return f"{tokens:,} tokens{share}; half of the runs took under {seconds:.1f} s."


def _verdict(result: Result) -> tuple[str, str, str]:
    """A class, a sign and a word: never a colour alone."""
    if result.error is not None:
        return "odd", "!", "error"
    if result.solved:
        return "good", "✓", "solved"
    return ("odd", "…", "out of time") if result.status == "timeout" else ("bad", "✗", "not solved")


def _grid(results: Sequence[Result]) -> str:
    seeds = list(dict.fromkeys(sorted((result.seed for result in results), key=lambda seed: seed or 0)))
    cells: dict[str, dict[int | None, str]] = {}
    solved: dict[str, list[bool]] = {}
    for number, result in enumerate(results):
        kind, sign, word = _verdict(result)
        title = escape(f"{result.task}: {word}, {result.seconds:.1f} s", quote=True)
        cell = f"<a class='cell {kind}' href='#run-{number}' title='{title}' aria-label='{title}'>{sign}</a>"
        cells.setdefault(result.task, {})[result.seed] = cell
        solved.setdefault(result.task, []).append(result.solved)
    head = "".join(f"<th scope=col>{'run' if seed is None else f'seed {seed}'}</th>" for seed in seeds)
    rows = [
        f"<tr><th scope=row>{escape(task)}</th>"
        + "".join(f"<td>{row.get(seed, '')}</td>" for seed in seeds)
        + f"<td class=number>{sum(solved[task])} of {len(solved[task])}</td></tr>"
        for task, row in cells.items()
    ]
    top = f"<tr><th scope=col>task</th>{head}<th scope=col>solved</th></tr>"
    return f"<div class=wide><table><thead>{top}</thead><tbody>{''.join(rows)}</tbody></table></div>"


def _run(number: int, result: Result, steps: Sequence[Step]) -> str:
    kind, sign, word = _verdict(result)
    name = escape(result.task if result.seed is None else f"{result.task} (seed {result.seed})")
    tokens = f"{result.prompt_tokens:,} + {result.completion_tokens:,} tokens"
    facts = f"{word}, {result.seconds:.1f} s, {result.requests} requests, {tokens}"
    error = f"<p class=bad>{escape(result.error)}</p>" if result.error else ""
    what = _timeline(steps) + _table(steps) if steps else "<p>Nothing was recorded.</p>"
    head = f"<summary><span class='mark {kind}'>{sign}</span><b>{name}</b> {escape(facts)}</summary>"
    return f"<details id=run-{number}>{head}{error}{what}</details>"


def _timeline(steps: Sequence[Step]) -> str:
    """Lanes over time; a bar's full words stand in its tooltip and in the table below."""
    end = max(0.001, *(step.start + step.seconds for step in steps))
    scale = (_WIDTH - _MARGIN - _LEAST) / end
    height = len(_LANES) * _LANE_HEIGHT + 18
    shapes: list[str] = []
    for row, (kind, label) in enumerate(_LANES.items()):
        top = row * _LANE_HEIGHT
        base = top + _LANE_HEIGHT - 1
        shapes.append(f"<text x=0 y={top + 12}>{label}</text>")
        shapes.append(f"<line class=row x1={_MARGIN} y1={base} x2={_WIDTH} y2={base} />")
        for step in steps:
            if step.kind == kind:
                x, width = _MARGIN + step.start * scale, max(step.seconds * scale, _LEAST)
                failed = " failed" if step.ok is False else ""
                shapes.append(
                    f"<rect class='{kind}{failed}' x={x:.1f} y={top + 2} width={width:.1f} height={_LANE_HEIGHT - 5} "
                    f"rx=1><title>{escape(f'{step.seconds:.1f} s: {step.title}')}</title></rect>"
                )
    low = height - 4
    shapes.append(f"<text x={_MARGIN} y={low}>0 s</text><text x={_WIDTH} y={low} text-anchor=end>{end:.1f} s</text>")
    return f"<svg viewBox='0 0 {_WIDTH} {height}' role=img aria-label='when what happened'>{''.join(shapes)}</svg>"


def _table(steps: Sequence[Step]) -> str:
    rows: list[str] = []
    for step in sorted(steps, key=lambda step: step.start):
        cached = f" ({step.cached_tokens:,} cached)" if step.cached_tokens else ""
        tokens = f"{step.prompt_tokens:,}{cached} + {step.completion_tokens:,}" if step.prompt_tokens else ""
        sign = {True: "✓", False: "✗", None: ""}[step.ok]
        rows.append(
            f"<tr><td class=number>{step.start:.1f}</td><td class=number>{step.seconds:.1f}</td><td>{step.kind}</td>"
            f"<td>{sign}</td><td class=said>{escape(step.title)}</td><td class=number>{tokens}</td></tr>"
        )
    names = ("at (s)", "took (s)", "what", "", "", "tokens")
    head = "".join(f"<th scope=col>{name}</th>" for name in names)
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
