"""Disks that refuse, for real: full, read-only, forbidden, other devices, mount points, folders in place of files.

The mounts are made in a mount namespace of the server's own; where this machine allows none, the tests are skipped.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import VSCODE, FakeEditor, NewEditor, RpcError, with_events

STREAM = with_events(VSCODE)
DONE = answer("Done.")
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
WHOLE = "All files are as they were before."


@cache
def bubblewrap() -> str:
    found = shutil.which("bwrap")
    tried = found and subprocess.run([found, "--dev-bind", "/", "/", "true"], capture_output=True, check=False)
    if not found or not tried or tried.returncode:
        pytest.skip("no mount namespaces here")
    return found


def mounted(*how: str | Path, first: str = "", last: str = "") -> tuple[str, ...]:
    """What stands before a command line: it runs with these mounts, between two scripts."""
    script = f'{first or ":"}\n"$@"\ncode=$?\n{last or ":"}\nexit $code'
    return (bubblewrap(), "--dev-bind", "/", "/", *map(str, how), "--", "sh", "-c", script, "sh")


def small(folder: Path, size: int) -> tuple[str, ...]:
    """A file system of its own at `folder`, in memory, with room for `size` bytes."""
    folder.mkdir(exist_ok=True)
    return ("--size", str(size), "--tmpfs", str(folder))


async def kaaj(env: dict[str, str], folder: Path, before: Sequence[str], *arguments: str) -> tuple[int, str]:
    """`kaaj run` that applies by itself; its exit code and all that it said."""
    line = (*before, sys.executable, "-m", "kaaj_server", "run", "go", "--yes", "--check", "none", *arguments)
    process = await asyncio.create_subprocess_exec(*line, cwd=folder, env=env, stdin=DEVNULL, stdout=PIPE, stderr=PIPE)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode() + err.decode()


def everything(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def notices(editor: FakeEditor) -> str:
    return "\n".join(event["message"] for event in editor.events if event["type"] == "notice")


async def proposal(editor: FakeEditor, prompt: str = "total() must add up.") -> Any:
    await editor.command("kaaj.start", {"prompt": prompt})
    return await editor.eventually(lambda: editor.change("proposed"), "a proposal")


def decision(change: Any) -> Any:
    return {"change": change["id"], "digest": change["digest"]}


async def through_all(editor: FakeEditor) -> None:
    """Proposed, applied and undone, as on any other day."""
    uri = await editor.open("cart.py")
    before = editor.buffers[uri]
    change = await proposal(editor)
    await editor.command("kaaj.accept", decision(change))
    assert NEW in editor.buffers[uri]
    await editor.command("kaaj.undo", {"change": change["id"]})
    assert editor.buffers[uri] == before


# --- full -------------------------------------------------------------------------------------------------------------


async def test_a_full_disk_under_the_workspace(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    plain, after = tmp_path / "plain", tmp_path / "after"
    shutil.copytree(workspace, plain)
    after.mkdir()
    endpoint.add(FIX, answer_calls(("write", {"path": "new.py", "content": "y = 1\n" * 30_000})), DONE)
    disk = mounted(
        *small(workspace, 65_536),
        first=f'cp -r "{plain}/." "{workspace}"',
        last=f'cp -r "{workspace}/." "{after}"',
    )
    code, said = await kaaj(env, tmp_path, disk, "--dir", str(workspace))
    assert code == 1, said
    assert "The disk is full." in said
    assert WHOLE in said
    assert everything(after) == everything(plain)


async def test_a_full_disk_under_the_journal(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    """The old bytes find no room, so nothing is written over them."""
    (workspace / "cart.py").write_text("# " + "x" * 100_000 + "\n" + (workspace / "cart.py").read_text())
    before = everything(workspace)
    endpoint.add(FIX, DONE)
    code, said = await kaaj(env, workspace, mounted(*small(tmp_path / "state", 65_536)))
    assert code == 1, said
    assert "The disk is full." in said
    assert everything(workspace) == before


async def test_a_full_disk_under_the_sessions_log(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    endpoint.add(FIX, answer_calls(("write", {"path": "new.py", "content": "y = 1\n" * 9000})), DONE)
    editor = new_editor(capabilities=STREAM)
    editor.command_line = (*mounted(*small(tmp_path / "state", 65_536)), *editor.command_line)
    async with editor:
        await through_all(editor)
        assert notices(editor).count("can no longer be saved (No space left on device)") == 1
        assert (await editor.command("kaaj.snapshot", {}))["changes"][0]["state"] == "undone"
        assert not any("Traceback" in row for row in editor.stderr)


async def test_a_full_disk_under_the_shadow(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, tmp_path: Path
) -> None:
    (workspace / "big.txt").write_text("x" * 900_000)
    endpoint.add(*[FIX, *[DONE] * 6])
    editor = new_editor(capabilities=STREAM, settings={"check": "true"})
    editor.command_line = (*mounted(*small(tmp_path / "state", 300_000)), *editor.command_line)
    async with editor:
        change = await proposal(editor)
        assert change["check"]["status"] != "passed"
        assert "No space left on device" in notices(editor)
        await editor.command("kaaj.accept", decision(change))
        assert NEW in editor.buffers[editor.uri("cart.py")]


# --- read-only, forbidden ---------------------------------------------------------------------------------------------


CREATE = answer_calls(("write", {"path": "new/a.py", "content": "x = 1\n"}))


@pytest.mark.parametrize(("calls", "words"), [((FIX, CREATE), "cart.py is read-only"), ((CREATE,), "read-only")])
async def test_a_read_only_workspace(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, calls: Sequence[Answer], words: str
) -> None:
    endpoint.add(*calls, DONE)
    before = everything(workspace)
    code, said = await kaaj(env, workspace, mounted("--ro-bind", workspace, workspace))
    assert code == 1, said
    assert words in said.replace("Read", "read")
    assert "Nothing was written." in said or WHOLE in said
    assert everything(workspace) == before


async def test_a_read_only_state_folder(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    endpoint.add(FIX, DONE)
    editor = new_editor(capabilities=STREAM, settings={"check": "true"})
    editor.command_line = (*mounted("--ro-bind", tmp_path / "state", tmp_path / "state"), *editor.command_line)
    async with editor:
        await through_all(editor)
        assert "The session cannot be saved (Read-only file system)" in notices(editor)
    assert (workspace / "cart.py").exists()


async def test_without_a_journal_nothing_is_written(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    endpoint.add(FIX, DONE)
    before = everything(workspace)
    code, said = await kaaj(env, workspace, mounted("--ro-bind", tmp_path / "state", tmp_path / "state"))
    assert code == 1, said
    assert "Read-only file system" in said
    assert everything(workspace) == before


async def test_a_folder_without_the_right_to_write(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    (workspace / "shut").mkdir()
    (workspace / "shut" / "a.py").write_text("x = 1\n")
    (workspace / "shut").chmod(0o555)
    before = everything(workspace)
    endpoint.add(FIX, answer_calls(("edit", {"path": "shut/a.py", "old": "x = 1", "new": "x = 2"})), DONE)
    code, said = await kaaj(env, workspace, without_roots_rights())
    (workspace / "shut").chmod(0o755)
    assert code == 1, said
    assert "its folder is read-only" in said
    assert "Nothing was written." in said
    assert everything(workspace) == before


def without_roots_rights() -> Sequence[str]:
    """Root may write everywhere, which is not what is tested."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("needs setpriv, as root")
    return ("setpriv", "--bounding-set=-dac_override,-dac_read_search")


# --- other devices, mount points --------------------------------------------------------------------------------------


async def test_a_workspace_of_several_devices(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    """No rename crosses devices: what is new is made beside its place, and what was is copied into the journal."""
    after = tmp_path / "after"
    after.mkdir()
    endpoint.add(
        FIX,
        answer_calls(("edit", {"path": "sub/b.py", "old": "x = 1", "new": "x = 2"})),
        answer_calls(("write", {"path": "sub/deep/c.py", "content": "y = 1\n"})),
        DONE,
    )
    disk = mounted(
        *small(workspace / "sub", 1_000_000),
        first=f'echo "x = 1" > "{workspace}/sub/b.py"',
        last=f'cp -r "{workspace}/sub/." "{after}"',
    )
    code, said = await kaaj(env, workspace, disk)
    assert code == 0, said
    assert NEW in (workspace / "cart.py").read_text()
    assert everything(after) == {"b.py": b"x = 2\n", "deep/c.py": b"y = 1\n"}


async def test_a_file_that_is_a_mount_of_its_own(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path, tmp_path: Path
) -> None:
    """As containers mount single files: no other file can take its place, so the whole change is taken back."""
    single = tmp_path / "single.py"
    single.write_text("x = 1\n")
    (workspace / "b.py").write_text("")
    endpoint.add(FIX, answer_calls(("edit", {"path": "b.py", "old": "x = 1", "new": "x = 2"})), DONE)
    before = everything(workspace)
    code, said = await kaaj(env, workspace, mounted("--bind", single, workspace / "b.py"))
    assert code == 1, said
    assert "Device or resource busy" in said
    assert WHOLE in said
    assert everything(workspace) == before
    assert single.read_text() == "x = 1\n"


# --- folders and pipes in place of files ------------------------------------------------------------------------------


def becomes_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inner.txt").write_text("mine")


async def test_a_file_becomes_a_folder_while_its_proposal_waits(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        change = await proposal(editor)
        becomes_a_folder(workspace / "cart.py")
        with pytest.raises(RpcError) as refused:
            await editor.command("kaaj.accept", decision(change))
        assert "cart.py" in refused.value.message
        assert "othing was written" in refused.value.message
        assert editor.edits == []
        assert not any("Traceback" in row for row in editor.stderr)
    assert (workspace / "cart.py" / "inner.txt").read_text() == "mine"


async def test_a_file_becomes_a_folder_before_it_is_undone(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(answer_calls(("write", {"path": "new.py", "content": "x = 1\n"})), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        change = await proposal(editor)
        await editor.command("kaaj.accept", decision(change))
        editor.close(editor.uri("new.py"))
        becomes_a_folder(workspace / "new.py")
        with pytest.raises(RpcError) as refused:
            await editor.command("kaaj.undo", {"change": change["id"]})
        assert "new.py" in refused.value.message
        assert (await editor.command("kaaj.snapshot", {}))["changes"][0]["state"] == "applied"
        assert not any("Traceback" in row for row in editor.stderr)
    assert (workspace / "new.py" / "inner.txt").read_text() == "mine"


async def test_a_file_becomes_a_folder_before_it_is_written(
    endpoint: ScriptedEndpoint, env: dict[str, str], workspace: Path
) -> None:
    def last(_: Any) -> Answer:
        becomes_a_folder(workspace / "cart.py")
        return DONE

    endpoint.add(FIX, answer_calls(("edit", {"path": "notes.txt", "old": "second", "new": "2nd"})), last)
    code, said = await kaaj(env, workspace, ())
    assert code == 1, said
    assert "cart.py" in said
    assert "Traceback" not in said
    assert (workspace / "cart.py" / "inner.txt").read_text() == "mine"
    assert "second" in (workspace / "notes.txt").read_text(), "all files or none"


PIPES = (
    ".gitignore",
    ".kaajignore",
    "AGENTS.md",
    "CLAUDE.md",
    "Makefile",
    "package.json",
    "pyproject.toml",
    "pytest.ini",
    "tox.ini",
    "Cargo.toml",
    "go.mod",
    ".git/HEAD",
    ".git/config",
    ".venv/pyvenv.cfg",
    ".kaaj/skills/a/SKILL.md",
    "pipe.py",
)


async def test_pipes_in_place_of_all_files_that_are_looked_for(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    """Whoever opens one of them to read waits for ever for somebody who writes."""
    for name in PIPES:
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(workspace / name)
    tries = [("read", {"path": name}) for name in PIPES] + [("search", {"pattern": "total"}), ("list", {})]
    endpoint.add(answer_calls(*tries), FIX, *[DONE] * 6)
    async with new_editor(capabilities=STREAM, settings={"check": ""}) as editor:
        await editor.command("kaaj.start", {"prompt": "Go.", "uri": editor.uri("pipe.py")})
        change = await editor.eventually(lambda: editor.change("proposed"), "a proposal", 60)
        assert (await editor.command("kaaj.accept", decision(change)))["state"] == "applied"
        assert not any("Traceback" in row for row in editor.stderr)


async def test_folders_in_place_of_the_states_files(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    sessions = tmp_path / "state" / "sessions"
    (sessions / "20200101-000000-abcdef.jsonl").mkdir(parents=True)
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await through_all(editor)
    log = next(path for path in sessions.glob("*.jsonl") if path.is_file())
    log.with_suffix(".lock").unlink()
    log.with_suffix(".lock").mkdir()
    async with new_editor(capabilities=STREAM) as editor:
        drawn = await editor.command("kaaj.snapshot", {})
        assert drawn["sessions"] == [], "what cannot be locked is left alone"
        assert not any("Traceback" in row for row in editor.stderr)
