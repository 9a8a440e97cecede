"""Clients that answer late, twice, wrongly or never, that die and come back, and two servers on one workspace."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

STREAM = with_events(VSCODE)
DONE = answer("Done.")
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
OTHER = answer_calls(("edit", {"path": "notes.txt", "old": "second", "new": "2nd"}))


async def proposal(editor: FakeEditor, prompt: str = "total() must add up.") -> Any:
    started = await editor.command("kaaj.start", {"prompt": prompt})

    def proposed() -> Any:
        rows = [e["change"] for e in editor.events if e["type"] == "change" and e["change"]["state"] == "proposed"]
        return next((row for row in rows if row["task"] == started["task"]), None)

    return await editor.eventually(proposed, "a proposal")


def decision(change: Any) -> Any:
    return {"change": change["id"], "digest": change["digest"]}


def asked(editor: FakeEditor, command: str, argument: Any) -> asyncio.Future[Any]:
    """A command whose answer is not waited for."""
    _, answered = editor.send_request("workspace/executeCommand", {"command": command, "arguments": [argument]})
    return answered


def states(drawn: Any) -> list[str]:
    return [row["state"] for row in drawn["changes"]]


# --- answers ----------------------------------------------------------------------------------------------------------


@dataclass
class OddEditor(FakeEditor):
    """Answers the server's requests as told, whatever it does to its text."""

    how: str = "twice"

    def _send(self, message: dict[str, Any]) -> None:
        super()._send(message)
        if "method" in message or str(message.get("id", "")).partition("-")[0] != "kaaj":
            return
        match self.how:
            case "twice":
                super()._send(message)
            case "and takes it back":
                super()._send({"id": message["id"], "result": {"applied": False}})
            case "and an error":
                super()._send({"id": message["id"], "error": {"code": -1, "message": "no"}})
            case _:
                for odd in (None, 5, "x", {"a": 1}, True, 1e9):
                    super()._send({"id": odd, "result": {"applied": True}})


def odd(editor: FakeEditor, how: str) -> OddEditor:
    return OddEditor(editor.workspace, editor.capabilities, editor.env, editor.settings, how=how)


@pytest.mark.parametrize("how", ["twice", "and takes it back", "and an error", "what was not asked"])
async def test_an_answer_that_comes_twice_counts_once(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, how: str
) -> None:
    endpoint.add(FIX, DONE)
    async with odd(new_editor(capabilities=STREAM), how) as editor:
        uri = await editor.open("cart.py")
        change = await proposal(editor)
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        assert editor.buffers[uri].count(NEW) == 1
        assert states(await editor.command("kaaj.snapshot", {})) == ["applied"]
        await editor.command("kaaj.undo", {"change": change["id"]})
        assert OLD in editor.buffers[uri]
        assert len(editor.edits) == 2
        assert not any("Traceback" in row for row in editor.stderr)


WRONG: list[Any] = [None, [], "yes", 5, {"applied": "true"}, {"applied": 1}, {"applied": None}, {"applied": {"a": []}}]


@dataclass
class WrongEditor(FakeEditor):
    """Does nothing with an edit, and answers this."""

    result: Any = None

    async def _asked(self, number: Any, method: str, params: Any) -> None:
        if method == "workspace/applyEdit":
            self.edits.append(params)
            self._send({"id": number, "result": self.result})
        else:
            await super()._asked(number, method, params)


async def test_an_answer_that_makes_no_sense_is_no_success(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(FIX, DONE)
    plain = new_editor(capabilities=STREAM)
    async with WrongEditor(plain.workspace, plain.capabilities, plain.env, plain.settings) as editor:
        uri = await editor.open("cart.py")
        change = await proposal(editor)
        for editor.result in WRONG:
            with pytest.raises(RpcError) as refused:
                await editor.command("kaaj.accept", decision(change))
            assert "The proposal is kept." in refused.value.message
        assert states(await editor.command("kaaj.snapshot", {})) == ["proposed"]
        assert OLD in editor.buffers[uri]
        assert not any("Traceback" in row for row in editor.stderr)


async def test_a_late_edit_after_a_cancel_is_told_and_can_be_undone(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM, obeys="never answers") as editor:
        uri = await editor.open("cart.py")
        change = await proposal(editor)
        accepted = asked(editor, "kaaj.accept", decision(change))
        await editor.eventually(lambda: editor.edits)
        await editor.command("kaaj.cancel", {"task": change["task"]}, wait=5)
        ended = await editor.eventually(lambda: editor.event("task_finished"))
        assert ended["status"] == "cancelled"
        assert "if it still comes" in ended["summary"]
        await editor.apply(editor.edits[0]["edit"])
        assert (await asyncio.wait_for(accepted, 20))["state"] == "applied"
        notice = await editor.eventually(lambda: editor.event("notice"))
        assert "after all" in notice["message"]
        editor.obeys = "applies"
        await editor.command("kaaj.undo", {"change": change["id"]})
        assert OLD in editor.buffers[uri]


async def test_an_editor_that_never_answers_holds_up_no_other_task(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    endpoint.add(FIX, DONE, OTHER, DONE)
    async with new_editor(capabilities=STREAM, obeys="never answers") as editor:
        await editor.open("cart.py")
        notes = await editor.open("notes.txt")
        first = await proposal(editor)
        accepted = asked(editor, "kaaj.accept", decision(first))
        await editor.eventually(lambda: editor.edits)
        second = await proposal(editor, "The other file.")
        editor.obeys = "applies"
        assert (await editor.command("kaaj.accept", decision(second), wait=10))["state"] == "applied"
        assert "2nd" in editor.buffers[notes]
        assert not accepted.done()
        await editor.command("kaaj.cancel", {"task": first["task"]}, wait=5)
        accepted.cancel()


# --- death and return -------------------------------------------------------------------------------------------------


async def leave(editor: FakeEditor, how: str) -> None:
    """The client is gone, without a word."""
    pipe = editor.process.stdin
    assert pipe is not None
    if how == "server killed":
        editor.process.send_signal(signal.SIGKILL)
    else:
        pipe.close()
    await asyncio.wait_for(editor.process.wait(), 30)
    await editor.kill()


@pytest.mark.parametrize("how", ["client gone", "server killed"])
@pytest.mark.parametrize("when", ["the model speaks", "a proposal waits", "an edit is out", "applied"])
async def test_a_client_that_dies_and_comes_back(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, when: str, how: str
) -> None:
    before = (workspace / "cart.py").read_bytes()
    endpoint.add(replace(answer("one two three", chunk=3), hang_after=2) if when == "the model speaks" else FIX, DONE)
    editor = new_editor(capabilities=STREAM, obeys="never answers" if when == "an edit is out" else "applies")
    await editor.launch()
    await editor.initialize()
    await editor.open("cart.py")
    change: Any = None
    if when == "the model speaks":
        await editor.command("kaaj.start", {"prompt": "total() must add up."})
        await editor.eventually(lambda: editor.event("text"))
    else:
        change = await proposal(editor)
    if when == "an edit is out":
        asked(editor, "kaaj.accept", decision(change)).add_done_callback(lambda answered: answered.exception())
        await editor.eventually(lambda: editor.edits)
    elif when == "applied":
        await editor.command("kaaj.accept", decision(change))
    text = editor.buffers[editor.uri("cart.py")]
    await leave(editor, how)
    assert (workspace / "cart.py").read_bytes() == before, "the server writes no file"
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py", text)
        drawn = await editor.command("kaaj.snapshot", {})
        assert drawn["transcript"][0]["text"] == "total() must add up."
        if when == "the model speaks":
            assert drawn["tasks"][0]["status"] in ("stopped", "cancelled")
        elif when == "applied":
            await editor.command("kaaj.undo", {"change": change["id"]})
            assert editor.buffers[uri].encode() == before
        else:
            assert states(drawn) == ["proposed"]
            assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        endpoint.add(*[DONE] * 3)
        more = await editor.command("kaaj.start", {"prompt": "And now?", "session": drawn["sessions"][0]["id"]})
        ended = await editor.eventually(lambda: editor.event("task_finished", task=more["task"]))
        assert ended["status"] in ("done", "stopped")
        assert not any("Traceback" in row for row in editor.stderr)


# --- two servers ------------------------------------------------------------------------------------------------------


async def test_what_a_killed_server_held_belongs_to_the_next_that_starts(
    new_editor: NewEditor, endpoint: ScriptedEndpoint
) -> None:
    """Locks fall with their process: nobody has to delete a file, and nobody takes what is in use."""
    endpoint.add(FIX, DONE)
    one, two = new_editor(capabilities=STREAM), new_editor(capabilities=STREAM)
    await one.launch()
    await one.initialize()
    change = await proposal(one)
    async with two:
        assert (await two.command("kaaj.snapshot", {}))["sessions"] == [], "in use"
        one.process.send_signal(signal.SIGKILL)
        await one.process.wait()
        await one.kill()
        async with new_editor(capabilities=STREAM) as three:
            assert states(await three.command("kaaj.snapshot", {})) == ["proposed"]
            assert (await three.command("kaaj.accept", decision(change)))["state"] == "applied"


HOLDS = """
import sys, time
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print("held", flush=True)
time.sleep(60)
"""


async def run(env: dict[str, str], folder: Path) -> asyncio.subprocess.Process:
    line = (sys.executable, "-m", "kaaj_server", "run", "go", "--yes", "--check", "none")
    return await asyncio.create_subprocess_exec(*line, cwd=folder, env=env, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)


async def test_the_journals_lock_falls_with_the_process_that_held_it(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    journal = Path(env["KAAJ_STATE_DIR"]) / "journal"
    journal.mkdir(parents=True)
    holder = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOLDS, str(journal / "lock"), stdin=DEVNULL, stdout=PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    endpoint.add(FIX, DONE)
    process = await run(env, workspace)
    ending = asyncio.create_task(process.communicate())
    await asyncio.wait([ending], timeout=2)
    assert not ending.done(), "it waits for its turn"
    assert OLD in (workspace / "cart.py").read_text()
    holder.kill()
    await holder.communicate()
    out, err = await asyncio.wait_for(ending, 30)
    assert process.returncode == 0, out + err
    assert NEW in (workspace / "cart.py").read_text()


async def test_two_runs_that_edit_the_same_place_do_not_overwrite_each_other(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    """Both are made for the same text; one is applied, the other hears that its base is gone."""
    both = asyncio.Event()
    waiting: list[Any] = []

    async def fix(body: Any) -> Answer:
        new = f"        result += price  # {len(waiting)}\n"
        waiting.append(body)
        if len(waiting) == 2:
            both.set()
        await both.wait()
        return answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": new}))

    def play(body: Any) -> Any:
        return DONE if body["messages"][-1]["role"] == "tool" else fix(body)

    endpoint.add(*[play] * 8)
    runs = [await run(env, workspace) for _ in range(2)]
    said = await asyncio.gather(*(one.communicate() for one in runs))
    assert sorted(one.returncode or 0 for one in runs) == [0, 1], said
    text = (workspace / "cart.py").read_text()
    assert text.count("result += price  # ") == 1
    assert OLD not in text
