"""The command `kaaj` itself: what it says, how it ends, and that a server's start imports little."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from kaaj_server import __main__ as program
from kaaj_server.cli import model

HEAVY = ("rich", "pydantic", "openai", "pygls", "lsprotocol", "git", "watchdog", "xllamacpp", "shtab", "asyncio")
COMMANDS = ("demo", "run", "serve", "doctor", "model", "eval", "allowed", "undo", "completion")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, and no endpoint."""
    for name in ("KAAJ_BASE_URL", "OPENAI_BASE_URL", "KAAJ_LOG", "KAAJ_MODEL"):
        monkeypatch.delenv(name, raising=False)
    state = tmp_path / "state"
    monkeypatch.setenv("KAAJ_STATE_DIR", str(state))
    monkeypatch.setenv("KAAJ_MODEL_DIR", str(tmp_path / "models"))
    return state


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kaaj_server", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_every_command_has_a_help_that_fits_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ((), *((name,) for name in COMMANDS)):
        assert program.main([*command, "--help"]) == 0
        out = capsys.readouterr().out
        assert out.startswith("usage: kaaj")
        assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("run",),
        ("run", "x", "--mode", "yolo"),
        ("run", "x", "--dir", "/nowhere/at/all"),
        ("run", "   "),
        ("serve",),
        ("serve", "--tcp", "99999"),
        ("serve", "--stdio", "--tcp", "0"),
        ("model", "pull", "no-such-model"),
        ("model", "serve", "no-such-model"),
        ("eval", "x"),
        ("eval", "/nowhere", "--out", "r.jsonl"),
        ("allowed", "--forget", "7"),
        ("completion", "powershell"),
    ],
)
def test_bad_use_exits_two_and_says_why(
    arguments: tuple[str, ...], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert program.main(arguments) == 2
    assert capsys.readouterr().err.strip()


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("kaaj ")


def test_nothing_heavy_is_imported_on_the_way_to_serve() -> None:
    probe = (
        "import sys; from kaaj_server import __main__ as m; m.build_parser().parse_args(['serve', '--stdio']);"
        "from kaaj_server.lsp import server; import json; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=60, check=True)
    roots = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not roots.intersection(set(HEAVY) - {"asyncio"})


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_names_the_commands(shell: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_the_state_folder_is_made_for_its_owner_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["model", "list"]) == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_state_folder_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("")
    monkeypatch.setenv("KAAJ_STATE_DIR", str(blocker / "state"))
    assert program.main(["model", "list"]) == 1
    err = capsys.readouterr().err
    assert "KAAJ_STATE_DIR" in err
    assert "Traceback" not in err


def test_models_are_listed_with_what_is_on_disk(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["model", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["path"] for row in rows} == {"qwen2.5-coder-1.5b": None, "qwen2.5-coder-0.5b": None}
    assert [row["name"] for row in rows if row["default"]] == ["qwen2.5-coder-1.5b"]


def test_serving_a_model_that_is_not_here_says_how_to_fetch_it(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["model", "serve"]) == 1
    assert "kaaj model pull qwen2.5-coder-1.5b" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--version",), ("model", "list"), ("completion", "bash")])
def test_a_reader_that_has_gone_is_no_traceback(arguments: tuple[str, ...], home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "kaaj_server", *arguments],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr


def test_a_project_is_never_the_whole_home(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(home.parent))
    assert program.main(["run", "anything", "--dir", str(home.parent)]) == 1
    assert "--dir" in capsys.readouterr().err


def test_python_m_works_and_logs_stay_off_stdout(home: Path) -> None:
    done = run("--log-level", "debug", "model", "list")
    assert done.returncode == 0
    assert "DEBUG" not in done.stdout
    assert done.stderr == ""


def test_a_port_that_is_taken(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        done = run("serve", "--tcp", str(number))
    assert done.returncode == 1
    assert f"kaaj: Port {number} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_of_our_own_is_told_in_two_lines_and_logged(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> int:
        raise ZeroDivisionError("by design")

    monkeypatch.setattr(model, "_list", broken)
    assert program.main(["model", "list"]) == 1
    err = capsys.readouterr().err
    assert "by design" in err
    assert "Traceback" not in err
    assert "Traceback" in (home / program.LOG_FILE).read_text()
