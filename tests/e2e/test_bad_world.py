"""Replies that are none, disks that refuse, and tools that are missing: a sentence each, and the user's files whole."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import NEOVIM_11, VSCODE, FakeEditor, NewEditor, with_events

STREAM = with_events(VSCODE)
DONE = answer("Done.")
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
FULL = ("sh", "-c", 'ulimit -f 8; exec "$@"', "sh")
"""No file of this process and its children grows over 4 KB (8 blocks of 512 bytes): as on a disk that is full."""


async def proposal(editor: FakeEditor) -> Any:
    await editor.command("kaaj.start", {"prompt": "total() must add up."})
    return await editor.eventually(lambda: editor.change("proposed"), "a proposal")


def notices(editor: FakeEditor) -> str:
    return "\n".join(event["message"] for event in editor.events if event["type"] == "notice")


# --- replies ----------------------------------------------------------------------------------------------------------


def whole(message: Any) -> Answer:
    return Answer(body=json.dumps({"choices": [{"message": message}]}))


ODD: dict[str, tuple[Answer, str, str]] = {
    "empty": (answer(""), "stopped", "was empty"),
    "blank": (answer(" \n "), "stopped", "was empty"),
    "cut at its length": (answer("la la", finish="length"), "stopped", "cut at its length limit"),
    "no JSON in the stream": (Answer(events=["{nonsense"]), "failed", "not JSON"),
    "no UTF-8": (Answer(events=[b'{"choices":[{"delta":{"content":"\xff\xfe"}}]}']), "failed", "not JSON"),
    "a web page": (Answer(body="<title>Log in</title>", headers={"content-type": "text/html"}), "failed", "Log in"),
    "noise": (Answer(body="\x00\x01 noise"), "failed", "no chat completion"),
    "a list": (Answer(body="[1, 2]"), "failed", "no reply"),
    "deep": (Answer(body="[" * 100_000), "failed", "no chat completion"),
    "a message that is a word": (whole("hello"), "failed", "no reply"),
    "a call without a function": (whole({"content": None, "tool_calls": [{"id": 1}]}), "failed", "no reply"),
    "calls that are a number": (whole({"tool_calls": 7}), "failed", "no reply"),
    "odd usage": (
        replace(answer("Odd."), usage={"prompt_tokens": "many", "prompt_tokens_details": "x"}),
        "done",
        "Odd.",
    ),
    "half a character": (answer("half \ud800 of it"), "done", "half \ufffd of it"),
}


@pytest.mark.parametrize("name", ODD)
async def test_replies_that_are_none(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, name: str
) -> None:
    reply, status, said = ODD[name]
    endpoint.add(*[reply] * 12)
    before = (workspace / "cart.py").read_bytes()
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "Go."})
        finished = await editor.eventually(lambda: editor.event("task_finished"), wait=60)
        assert finished["status"] == status
        assert said in finished["summary"]
        assert "Kaaj failed inside" not in finished["summary"]
        assert (await editor.command("kaaj.snapshot", {}))["tasks"][0]["status"] == status
    assert (workspace / "cart.py").read_bytes() == before
    assert not any("Traceback" in row for row in editor.stderr)


@pytest.mark.parametrize("kind", ["prose", "call"])
async def test_a_reply_without_an_end(new_editor: NewEditor, endpoint: ScriptedEndpoint, kind: str) -> None:
    head: Any = {"index": 0, "id": "c", "type": "function", "function": {"name": "write", "arguments": '{"path": "'}}
    more: Any = {"index": 0, "function": {"arguments": "la " * 400}}
    opening = [{"choices": [{"index": 0, "delta": {"tool_calls": [head]}}]}] if kind == "call" else []
    delta: Any = {"tool_calls": [more]} if kind == "call" else {"content": "la " * 400}
    endless = Answer(events=opening + [{"choices": [{"index": 0, "delta": delta}]}] * 20_000, finish=None)
    endpoint.add(endless, answer("I stop."))
    async with new_editor(capabilities=STREAM) as editor:
        started = await editor.command("kaaj.start", {"prompt": "Go."})
        finished = await editor.eventually(lambda: editor.event("task_finished", task=started["task"]), wait=60)
        assert (finished["status"], finished["summary"]) == ("done", "I stop.")
        assert "nothing of it was executed" in endpoint.prompts[1]["messages"][-1]["content"]
        assert editor.event("tool_started") is None


async def test_a_reply_that_never_goes_on_ends_with_the_time(new_editor: NewEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(replace(answer("one two", chunk=3), hang_after=1))
    async with new_editor(capabilities=STREAM, settings={"check": "none", "maxSeconds": 1}) as editor:
        await editor.command("kaaj.start", {"prompt": "Go."})
        finished = await editor.eventually(lambda: editor.event("task_finished"))
        assert finished["status"] == "stopped"
        assert "maxSeconds" in finished["summary"]


@pytest.mark.parametrize("url", ["nonsense", "http://[::1", "ftp://host/v1", "http://127.0.0.1:9/v1"])
async def test_no_endpoint_there(new_editor: NewEditor, env: dict[str, str], url: str) -> None:
    env["KAAJ_BASE_URL"] = url
    async with new_editor(capabilities=STREAM) as editor:
        await editor.command("kaaj.start", {"prompt": "Go."})
        finished = await editor.eventually(lambda: editor.event("task_finished"), wait=60)
        assert finished["status"] == "failed"
        assert url in finished["summary"]
        assert "KAAJ_BASE_URL" in finished["summary"]


# --- disks ------------------------------------------------------------------------------------------------------------


async def through_all(editor: FakeEditor, workspace: Path) -> None:
    """Proposed, applied and undone, as on any other day."""
    uri = await editor.open("cart.py")
    before = editor.buffers[uri]
    change = await proposal(editor)
    await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
    assert NEW in editor.buffers[uri]
    await editor.command("kaaj.undo", {"change": change["id"]})
    assert editor.buffers[uri] == before
    assert not (workspace / "new.py").exists()


async def test_the_disk_fills_while_the_log_is_written(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    long = answer_calls(("write", {"path": "new.py", "content": "y = 1\n" * 3000}))
    endpoint.add(FIX, long, DONE)
    editor = new_editor(capabilities=STREAM)
    editor.command_line = (*FULL, *editor.command_line)
    async with editor:
        await through_all(editor, workspace)
        assert notices(editor).count("can no longer be saved") == 1
        assert (await editor.command("kaaj.snapshot", {}))["changes"][0]["state"] == "undone"
    endpoint.add(DONE)
    async with new_editor(capabilities=STREAM) as editor:
        tasks = (await editor.command("kaaj.snapshot", {}))["tasks"]
        assert [task["prompt"] for task in tasks] == ["total() must add up."], "what was saved by then is there"
        assert not any("Traceback" in row for row in editor.stderr)


def none(_: Path) -> str:
    """A state folder that cannot be made."""
    return "Not a directory"


def read_only(folder: Path) -> str:
    folder.mkdir()
    folder.chmod(0o500)
    return "Permission denied"


def occupied(folder: Path) -> str:
    folder.mkdir()
    (folder / "sessions").write_text("")
    return "File exists"


@pytest.mark.parametrize("spoil", [none, read_only, occupied])
async def test_a_state_folder_that_cannot_be_written(
    new_editor: NewEditor,
    endpoint: ScriptedEndpoint,
    env: dict[str, str],
    workspace: Path,
    spoil: Callable[[Path], str],
) -> None:
    blocked = workspace.parent / "file"
    blocked.write_text("")
    state = blocked / "state" if spoil is none else workspace.parent / "spoilt"
    env["KAAJ_STATE_DIR"] = str(state)
    said = spoil(state)
    endpoint.add(FIX, DONE)
    editor = new_editor(capabilities=STREAM, settings={"check": "true"})
    editor.command_line = (*without_roots_rights(), *editor.command_line)
    async with editor:
        await through_all(editor, workspace)
        assert f"The session cannot be saved ({said})" in notices(editor)
    assert (workspace / "cart.py").exists()


def without_roots_rights() -> Sequence[str]:
    """Root may write everywhere, which is not what is tested."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, as root")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


async def test_papers_that_cannot_be_written_are_told(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    (workspace.parent / "state").mkdir()
    (workspace.parent / "state" / "papers").write_text("")
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=NEOVIM_11) as editor:
        await editor.command("kaaj.start", {"prompt": "Go."})
        await editor.eventually(lambda: editor.questions)
        await editor.command("kaaj.open", {"document": "diff"})
        await editor.eventually(lambda: any("cannot write the diff" in row["message"] for row in editor.messages))
        assert editor.shown == []
    assert env


# --- the command line ------------------------------------------------------------------------------------------------


async def kaaj(env: dict[str, str], folder: Path, *arguments: str, before: Sequence[str] = ()) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(*before, sys.executable, "-m", "kaaj_server", *arguments),
        cwd=folder,
        env=env,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


FORMATS: dict[str, bytes] = {
    "crlf": b"a = 1\r\nb = 2\r\nc = 3",
    "cr": b"a = 1\rb = 2\rc = 3\r",
    "mixed ends": b"a = 1\r\nb = 2\nc\x0c = 3\rd\xe2\x80\xa8 = 4",
    "bom": b"\xef\xbb\xbfa = 1\nb = 2\n",
    "latin-1": "# café\na = 1\nb = 2\n".encode("latin-1"),
    "utf-16": b"\xff\xfe" + "# café\r\nb = 2\r\n".encode("utf-16-le"),
    "utf-16-be": b"\xfe\xff" + "# café\nb = 2\n".encode("utf-16-be"),
}


async def test_no_byte_changes_beside_the_edit(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    for name, data in FORMATS.items():
        (workspace / f"{name}.py").write_bytes(data)
    edits = (("edit", {"path": f"{name}.py", "old": "b = 2", "new": "b = 22"}) for name in FORMATS)
    endpoint.add(answer_calls(*edits), DONE)
    code, out, err = await kaaj(env, workspace, "run", "go", "--yes", "--check", "none")
    assert code == 0, out + err
    for name, data in FORMATS.items():
        codec = name if name == "utf-16-be" else "utf-16-le" if name == "utf-16" else "latin-1"
        assert (workspace / f"{name}.py").read_bytes() == data.replace("b = 2".encode(codec), "b = 22".encode(codec))


async def test_a_character_that_the_files_encoding_does_not_have(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    (workspace / "old.py").write_bytes(FORMATS["latin-1"])
    endpoint.add(answer_calls(("edit", {"path": "old.py", "old": "b = 2", "new": "b = '€'"})), FIX, DONE)
    code, _, err = await kaaj(env, workspace, "run", "go", "--yes", "--check", "none")
    assert code == 1
    assert "old.py is encoded as latin-1, which has no '€'; nothing was written." in err
    assert (workspace / "old.py").read_bytes() == FORMATS["latin-1"]
    assert OLD in (workspace / "cart.py").read_text(), "all files or none"


async def test_a_full_disk_writes_all_or_nothing(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    long = answer_calls(("write", {"path": "new.py", "content": "y = 1\n" * 3000}))
    endpoint.add(FIX, long, DONE)
    before = {path.name: path.read_bytes() for path in workspace.iterdir()}
    code, out, err = await kaaj(env, workspace, "run", "go", "--yes", "--check", "none", before=FULL)
    assert code == 1, out + err
    assert "All files are as they were before." in err
    assert {path.name: path.read_bytes() for path in workspace.iterdir()} == before


@pytest.mark.parametrize("git", ["none", "empty", "broken", "astray"])
async def test_without_tools_and_with_a_broken_repository(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, git: str
) -> None:
    tools = workspace.parent / "bin"
    tools.mkdir()
    for name in ("sh", "test") if git == "none" else ("sh", "test", "git"):
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    env["PATH"] = str(tools)
    if git in ("empty", "broken"):
        (workspace / ".git" / "objects").mkdir(parents=True)
        (workspace / ".git" / "refs").mkdir()
        (workspace / ".git" / "HEAD").write_text("ref: refs/heads/main\n" if git == "empty" else "nonsense")
        (workspace / ".git" / "config").write_text("" if git == "empty" else "[[[")
        (workspace / ".git" / "index").write_bytes(b"" if git == "empty" else b"zz")
    elif git == "astray":
        (workspace / ".git").write_text("gitdir: /nowhere\n")
    calls: list[tuple[str, Any]] = [("search", {"pattern": "total"}), ("list", {}), ("run", {"command": "git log"})]
    endpoint.add(answer_calls(*calls), FIX, DONE)
    code, out, err = await kaaj(env, workspace, "run", "go", "--yes", "--check", "test -f cart.py")
    assert code == 0, out + err
    assert NEW in (workspace / "cart.py").read_text()
    assert "total" in endpoint.prompts[1]["messages"][-3]["content"]


async def test_a_terminal_that_does_not_have_every_character(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    endpoint.add(answer("It’s “done” 😀 \ud800."))
    env["PYTHONIOENCODING"] = "ascii"
    code, out, err = await kaaj(env, workspace, "run", "fix it …", "--check", "none")
    assert code == 0, out + err
    assert "done" in out
