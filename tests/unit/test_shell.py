"""Commands: ended in time, heard in part, and never left running."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.failures import SandboxError
from kaaj_agent.output import CAP, Output, clean
from kaaj_agent.sandbox import Sandbox, clean_environment
from kaaj_agent.shell import ShadowShell


@pytest.fixture(params=["plain", "sandboxed"])
async def shell(request: pytest.FixtureRequest, tmp_path: Path) -> ShadowShell:
    sandbox = await Sandbox.find(wanted=request.param == "sandboxed")
    if request.param == "sandboxed" and not sandbox.available:
        pytest.skip(sandbox.reason)
    folder = tmp_path / "shadow"
    folder.mkdir()
    workspace = tmp_path / "workspace"
    return ShadowShell(
        folder,
        lambda command: sandbox.argv(command, folder, workspace),
        lambda: clean_environment(os.environ),
        sandboxed=sandbox.available,
    )


def alive(seconds: str) -> bool:
    """Whether some process of this machine sleeps for just that odd number of seconds."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cmdline").read_bytes().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                    return True
            except OSError:
                continue
    return False


async def until(seconds: str, *, there: bool) -> None:
    async with asyncio.timeout(20):
        while alive(seconds) is not there:
            await asyncio.sleep(0.01)


async def test_output_and_exit_code(shell: ShadowShell) -> None:
    result = await shell.run("echo out; echo err >&2; exit 3")
    assert (result.exit_code, result.output) == (3, "out\nerr\n")
    assert not result.cut
    assert not result.timed_out


async def test_stdin_is_closed(shell: ShadowShell) -> None:
    assert (await shell.run("cat; echo done")).output == "done\n"


async def test_listener_hears_it_as_it_comes(shell: ShadowShell) -> None:
    heard: list[str] = []
    await shell.run("printf 'a\\033[31mb\\033[0m\\n'; printf 'c\\r\\n'", on_output=heard.append)
    assert "".join(heard) == "ab\nc\n"


async def test_long_output_keeps_head_and_tail(shell: ShadowShell) -> None:
    result = await shell.run("echo first; seq 1 200000; echo last")
    assert result.cut
    assert len(result.output.encode()) < CAP + 200
    assert result.output.startswith("first\n1\n2\n")
    assert result.output.endswith("200000\nlast\n")
    assert " cut here ...]\n" in result.output


async def test_time_limit(shell: ShadowShell) -> None:
    result = await shell.run("echo begun; sleep 31.4101", timeout=0.5)
    assert result.timed_out
    assert result.exit_code is None
    assert result.output == "begun\n\n[stopped: it ran longer than 0.5 s]"
    await until("31.4101", there=False)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("command", "seconds"),
    [
        ("sleep 31.4102", "31.4102"),
        ("sh -c 'sleep 31.4103 & wait' & wait", "31.4103"),
        ("trap '' TERM; sh -c 'trap \"\" TERM; sleep 31.4104; sleep 31.4104'", "31.4104"),
        ("setsid sh -c 'sleep 31.4105; sleep 31.4105' & wait", "31.4105"),
    ],
    ids=["child", "grandchild", "deaf", "escaped"],
)
async def test_cancel_kills_all(shell: ShadowShell, command: str, seconds: str) -> None:
    task = asyncio.create_task(shell.run(command))
    await until(seconds, there=True)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(seconds)


async def test_cancelled_twice_still_kills(shell: ShadowShell) -> None:
    task = asyncio.create_task(shell.run("trap '' TERM; while true; do sleep 31.4106; done"))
    await until("31.4106", there=True)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive("31.4106")


async def test_background_child_does_not_hold_the_command(shell: ShadowShell) -> None:
    async with asyncio.timeout(20):
        result = await shell.run("sleep 31.4107 & echo started", timeout=60)
    assert result.exit_code == 0
    assert result.output == "started\n"
    await until("31.4107", there=False)


async def test_environment_has_no_secrets(shell: ShadowShell, monkeypatch: pytest.MonkeyPatch) -> None:
    result = await shell.run("env")
    names = {line.partition("=")[0] for line in result.output.splitlines()}
    assert {"PATH", "HOME", "CI", "NO_COLOR", "PYTHONDONTWRITEBYTECODE"} <= names
    assert not {name for name in names if "KEY" in name or "TOKEN" in name or name.startswith(("KAAJ", "OPENAI"))}


async def test_odd_bytes_and_terminal_escapes(shell: ShadowShell) -> None:
    result = await shell.run(r"printf 'caf\351 \033]0;title\007\033[1;31mred\033[0m \033[K10%%\r20%%\r\n'")
    assert result.output == "caf� red 10%\n20%\n"


async def test_no_such_folder(tmp_path: Path) -> None:
    shell = ShadowShell(tmp_path / "gone", lambda c: ["/bin/sh", "-c", c], dict, sandboxed=False)
    with pytest.raises(SandboxError, match="could not be started"):
        await shell.run("true")


async def test_nul_is_refused(shell: ShadowShell) -> None:
    with pytest.raises(SandboxError, match="NUL"):
        await shell.run("echo \0")


async def test_own_paths_are_renamed(tmp_path: Path) -> None:
    shell = ShadowShell(
        tmp_path, lambda c: ["/bin/sh", "-c", c], dict, sandboxed=False, rename={str(tmp_path): "/home/me/project"}
    )
    assert (await shell.run("pwd")).output == "/home/me/project\n"


def test_clean_environment() -> None:
    dirty = {
        "PATH": "/bin", "HOME": "/home/me", "KAAJ_API_KEY": "x", "OPENAI_BASE_URL": "x", "GITHUB_TOKEN": "x",
        "LC_ALL": "C", "LC_SECRET": "x", "DB_PASSWORD": "x", "SSH_AUTH_SOCK": "x", "AWS_PROFILE": "x",
    }  # fmt: skip
    kept = clean_environment(dirty, {"VIRTUAL_ENV": "/v", "MY_TOKEN": "x"})
    assert "x" not in kept.values()
    assert kept["LC_ALL"] == "C"
    assert kept["VIRTUAL_ENV"] == "/v"


ANSI = st.lists(
    st.sampled_from(
        [
            "a",
            "\n",
            "\r",
            "\r\n",
            "\x1b[0m",
            "\x1b[38;5;1m",
            "\x1b]8;;http://x\x07",
            "\x1b]0;t\x1b\\",
            "é",
            "\x9b31m",
            "\x9d0;t\x9c",
            "\x85",
        ]
    )
)


@given(ANSI, st.integers(1, 7))
def test_any_chunking_is_heard_alike(pieces: list[str], size: int) -> None:
    text = "".join(pieces)
    heard: list[str] = []
    output = Output(heard.append)
    data = text.encode()
    for at in range(0, len(data), size):
        output.feed(data[at : at + size])
    output.end()
    assert "".join(heard) == clean(text) == output.text()


@given(st.lists(st.text("xy\n", max_size=90), max_size=60), st.integers(1, 50))
def test_what_is_cut_is_told_exactly(lines: list[str], size: int) -> None:
    data = "\n".join(lines).encode()
    output = Output(cap=512)
    for at in range(0, len(data), size):
        output.feed(data[at : at + size])
    text = output.text()
    if len(data) <= 512:
        assert text == data.decode()
        return
    head, _, rest = text.partition("[... ")
    told, _, tail = rest.partition(" cut here ...]\n")
    cut_bytes = int(told.split(" bytes")[0].replace(",", ""))
    cut_lines = int(told.split("(")[1].split(" line")[0].replace(",", ""))
    middle = data[len(data) - len(tail) - cut_bytes : len(data) - len(tail)].decode()
    assert middle.count("\n") == cut_lines
    assert (head.rstrip("\n") + tail) == data.decode()[: len(data) - len(tail) - cut_bytes].rstrip("\n") + tail
    assert len(head) + len(tail) <= 513


async def test_a_sandbox_that_cannot_be_set_up_is_no_failing_command(tmp_path: Path) -> None:
    found = await Sandbox.find()
    if found.program is None:
        pytest.skip(found.reason)
    argv = [str(found.program), "--ro-bind", "/", "/", "--ro-bind", "/no/such/mount", "/x", "--", "true"]
    shell = ShadowShell(tmp_path, lambda _: argv, dict, sandboxed=True)
    with pytest.raises(SandboxError, match="no/such/mount"):
        await shell.run("true")
