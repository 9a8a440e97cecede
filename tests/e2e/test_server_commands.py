"""Every command refuses what is wrong by the field's name, at once, and the server goes on."""

from __future__ import annotations

import time
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

PLACE = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
FILE = "file:///nowhere/a.py"

BAD: list[tuple[str, list[Any], str]] = [
    ("kaaj.start", [], "takes one object"),
    ("kaaj.start", [{}], "prompt"),
    ("kaaj.start", [{"prompt": ""}], "prompt"),
    ("kaaj.start", [{"prompt": " \n"}], "prompt"),
    ("kaaj.start", [{"prompt": 3}], "prompt"),
    ("kaaj.start", [{"prompt": "x", "mode": "yolo"}], "mode"),
    ("kaaj.start", [{"prompt": "x", "extra": 1}], "extra"),
    ("kaaj.start", [{"prompt": "x", "range": PLACE}], "uri"),
    ("kaaj.start", [{"prompt": "x", "uri": "untitled:Untitled-1"}], "uri"),
    ("kaaj.start", [{"prompt": "x", "uri": "http://example.org/a.py"}], "uri"),
    ("kaaj.start", [{"prompt": "x", "uri": FILE, "range": {"start": {"line": -1}}}], "range"),
    ("kaaj.start", [{"prompt": "x", "session": "gone"}], "session"),
    ("kaaj.start", ["x"], "must be an object"),
    ("kaaj.start", [{"prompt": "x"}, {}], "takes one object"),
    ("kaaj.cancel", [{}], "task"),
    ("kaaj.cancel", [{"task": 5}], "task"),
    ("kaaj.cancel", [{"task": "gone"}], "task"),
    ("kaaj.accept", [{"change": "c"}], "digest"),
    ("kaaj.accept", [{"change": "gone", "digest": "d"}], "change"),
    ("kaaj.accept", [{"change": "c", "digest": "d", "hunks": []}], "hunks"),
    ("kaaj.reject", [{"digest": "d"}], "change"),
    ("kaaj.reject", [{"change": "gone", "digest": "d", "reason": 4}], "reason"),
    ("kaaj.undo", [{}], "change"),
    ("kaaj.undo", [{"change": "gone"}], "change"),
    ("kaaj.todo", [{"task": "gone", "items": []}], "task"),
    ("kaaj.todo", [{"task": "t", "items": [{"title": ""}]}], "items.0.title"),
    ("kaaj.todo", [{"task": "t", "items": 4}], "items"),
    ("kaaj.snapshot", [{"session": "gone"}], "session"),
    ("kaaj.snapshot", [{"more": True}], "more"),
    ("kaaj.fix", [{"uri": FILE}], "range"),
    ("kaaj.fix", [{"uri": FILE, "range": PLACE, "diagnostics": [{"message": "m"}]}], "diagnostics.0.range"),
    ("kaaj.nothing", [{}], "command"),
]


async def test_what_is_wrong_is_named(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=with_events(VSCODE)) as editor:
        missed: list[str] = []
        for command, arguments, field in BAD:
            try:
                await editor.command(command, *arguments)
                missed.append(f"{command} {arguments}: was taken")
            except RpcError as error:
                named = field in error.message and (" " in field or field in str(error.data))
                if error.code != -32602 or not named:
                    missed.append(f"{command} {arguments}: {error.code} {error.message} {error.data}")
        assert missed == []
        assert editor.events == []


async def test_arguments_that_are_no_list(new_editor: NewEditor) -> None:
    async with new_editor() as editor:
        wrong: list[Any] = [{"command": "kaaj.start", "arguments": {}}, {"command": 4}, None, []]
        for params in wrong:
            with pytest.raises(RpcError) as refused:
                await editor.request("workspace/executeCommand", params)
            assert refused.value.code == -32602


async def finished(editor: FakeEditor, task: str) -> None:
    await editor.eventually(lambda: editor.event("task_finished", task=task))


async def test_start_answers_at_once(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(*[answer("Done.")] * 6)
    async with new_editor(capabilities=with_events(VSCODE)) as editor:
        await editor.open("cart.py")
        await editor.command("kaaj.snapshot", {})
        times: list[float] = []
        for _ in range(5):
            began = time.perf_counter()
            started = await editor.command("kaaj.start", {"prompt": "Go."})
            times.append(time.perf_counter() - began)
            await finished(editor, started["task"])
        print("kaaj.start answered after (ms):", [round(t * 1000, 1) for t in times])
