"""What an evaluation tells afterwards: when what happened in a run, and the page that shows it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from kaaj_server.cli.eval_report import page, write_report
from kaaj_server.cli.eval_task import Result
from kaaj_server.cli.eval_timeline import Recorder, Step, append_timeline, timelines, timelines_path

EVENTS: list[dict[str, object]] = [
    {"time": 100.0, "type": "task_started", "prompt": "x"},
    {"time": 101.0, "type": "tool_started", "call": "a", "tool": "check", "title": "run the check"},
    {"time": 103.5, "type": "tool_finished", "call": "a", "ok": False, "summary": "2 tests fail"},
    {"time": 105.0, "type": "text", "text": "so"},
    {
        "time": 106.0,
        "type": "usage",
        "usage": {"requests": 1, "prompt_tokens": 90, "cached_tokens": 40, "completion_tokens": 9},
    },
    {"time": 106.5, "type": "tool_started", "call": "b", "tool": "repair", "title": "look at f"},
    {
        "time": 107.0,
        "type": "usage",
        "usage": {"requests": 3, "prompt_tokens": 190, "cached_tokens": 100, "completion_tokens": 9},
    },
    {"time": 109.0, "type": "tool_finished", "call": "b", "ok": True, "summary": "found"},
    {
        "time": 109.0,
        "type": "change",
        "change": {"state": "checked", "check": {"status": "passed", "command": "make test", "seconds": 0.5}},
    },
    {"time": 109.0, "type": "change", "change": {"state": "proposed", "check": {"status": "passed", "seconds": 0.5}}},
    {"time": 109.0, "type": "notice", "level": "warning", "message": "slow"},
    {"time": 110.0, "type": "task_finished", "status": "done", "summary": "mended"},
    {"type": "result", "status": "done"},
]


def test_events_become_steps_with_their_times_and_what_they_cost() -> None:
    recorder = Recorder()
    for event in EVENTS:
        recorder.feed(event)
    assert recorder.steps == [
        Step("check", 1.0, 2.5, "run the check: 2 tests fail", False),
        Step("request", 3.5, 2.5, "a request", None, 90, 40, 9),
        Step("request", 6.0, 1.0, "2 requests", None, 100, 60, 0),
        Step("repair", 6.5, 2.5, "look at f: found", True),
        Step("check", 8.5, 0.5, "make test: passed", True),
        Step("notice", 9.0, 0.0, "slow", True),
        Step("end", 10.0, 0.0, "done: mended", True),
    ]


def test_what_was_under_way_when_the_time_was_up_is_told() -> None:
    recorder = Recorder()
    recorder.feed(EVENTS[0])
    recorder.feed(EVENTS[1])
    recorder.close(60.0)
    recorder.close(70.0)
    assert recorder.steps == [Step("check", 1.0, 59.0, "run the check: not finished", ok=False)]


def test_a_run_in_a_loop_stays_within_bounds_and_keeps_its_end() -> None:
    recorder = Recorder()
    for number in range(5000):
        recorder.feed({"time": float(number), "type": "notice", "level": "info", "message": "x" * 5000})
    recorder.feed({"time": 5000.0, "type": "task_finished", "status": "stopped", "summary": "enough"})
    assert len(recorder.steps) == 400
    assert recorder.steps[-1].title == "stopped: enough"
    assert max(len(step.title) for step in recorder.steps) == 200


def test_timelines_come_back_the_newest_of_each_run(tmp_path: Path) -> None:
    path = timelines_path(tmp_path / "results.jsonl")
    assert path.name == "results.timelines.jsonl"
    assert timelines(path) == {}
    old, new = Step("tool", 0.0, 1.0, "a", False), Step("request", 0.0, 2.0, "b", None, 5, 4, 3)
    append_timeline(path, ("t", None), [old])
    with path.open("a") as file:
        file.write('{"task": "u", "se')  # the machine went down here
    append_timeline(path, ("t", None), [new])
    append_timeline(path, ("t", 2), [old])
    assert timelines(path) == {("t", None): (new,), ("t", 2): (old,)}


class Page(HTMLParser):
    """Elements with their attributes, and that they are nested as they should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>&amp;"


def test_nothing_that_a_run_says_becomes_markup() -> None:
    result = Result(EVIL, solved=False, status=EVIL, seconds=1.0, seed=1, error=EVIL)
    steps = [Step("tool", 0.0, 1.0, EVIL, False), Step("request", 1.0, 1.0, EVIL, None, 10, 0, 1)]
    shown = Page(page([result], {result.key: steps}, EVIL))
    assert not shown.named("script")
    assert not shown.named("img")
    assert not [name for _, attributes in shown.elements for name in attributes if name.startswith("on")]
    assert shown.text.count(EVIL) >= 4  # the grid, the run, its error, its steps: word for word


def test_the_page_asks_nobody_for_anything() -> None:
    result = Result("a", solved=True, status="done", seconds=1.0)
    text = page([result], {result.key: [Step("tool", 0.0, 1.0, "x")]}, "m")
    assert "http://" not in text
    assert "https://" not in text
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in Page(text).elements}
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def test_the_grid_has_a_cell_for_each_run_that_leads_to_it() -> None:
    results = [
        Result("a", solved=True, status="done", seconds=1.0, seed=1),
        Result("a", solved=False, status="stopped", seconds=1.0, seed=2),
        Result("b", solved=False, status="timeout", seconds=9.0, seed=1),
        Result("b", solved=False, status="failed", seconds=0.0, seed=2, error="it broke"),
    ]
    shown = Page(page(results, {}, ""))
    cells = [attributes for attributes in shown.named("a") if (attributes.get("class") or "").startswith("cell")]
    assert [cell["class"] for cell in cells] == ["cell good", "cell bad", "cell odd", "cell odd"]
    runs = {attributes["id"] for attributes in shown.named("details")}
    assert {(cell["href"] or "")[1:] for cell in cells} == runs
    assert [cell["title"] for cell in cells] == [
        "a: solved, 1.0 s",
        "a: not solved, 1.0 s",
        "b: out of time, 9.0 s",
        "b: error, 0.0 s",
    ]
    assert "1 of 4 runs solved" in shown.text
    assert "it broke" in shown.text


@pytest.mark.parametrize("seconds", [0.0, 3.0, 1e6])
def test_every_bar_stands_within_the_picture(seconds: float) -> None:
    result = Result("a", solved=True, status="done", seconds=seconds)
    steps = [Step("request", 0.0, seconds, "x"), Step("check", seconds, 0.0, "y", True)]
    shown = Page(page([result], {result.key: steps}, ""))
    width = float((shown.named("svg")[0]["viewbox"] or "").split()[2])
    bars = shown.named("rect")
    assert len(bars) == 2
    assert all(float(bar["x"] or 0) + float(bar["width"] or 0) <= width + 0.1 for bar in bars)


def test_the_report_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "out" / "r.html"
    write_report(path, [], {}, "")
    result = Result("a", solved=True, status="done", seconds=1.0)
    write_report(path, [result], {}, "")
    assert "1 of 1 runs solved" in path.read_text("utf-8")
    assert [one.name for one in path.parent.iterdir()] == ["r.html"]
