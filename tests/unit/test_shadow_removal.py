"""Folders that commands have written in go away whole, whatever is in them, and the removal stops when asked."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from kaaj_agent import shadow_removal
from kaaj_agent.shadow_removal import remove

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes and links of POSIX")


@pytest.fixture(params=["rm", "no rm"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if request.param == "no rm":
        monkeypatch.setattr(shadow_removal, "_rm", lambda: None)
    made = tmp_path / "-rf odd\nname"
    (made / "pkg").mkdir(parents=True)
    (made / "pkg" / "a.py").write_text("a = 1\n")
    return made


def test_links_go_and_what_they_lead_to_stays(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine\n")
    (folder / "link").symlink_to(tmp_path / "mine")
    (folder / "pkg" / "file").symlink_to(tmp_path / "mine" / "notes.txt")
    assert remove(folder)
    assert not folder.exists()
    assert (tmp_path / "mine" / "notes.txt").read_text() == "mine\n"


def test_a_link_in_the_folders_place_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(folder)
    assert remove(tmp_path / "other")
    assert (folder / "pkg" / "a.py").exists()


def test_what_a_command_has_closed_goes_too(folder: Path) -> None:
    (folder / "pkg" / "in").mkdir()
    (folder / "pkg" / "in" / "f").write_text("x")
    for place in (folder / "pkg" / "in", folder / "pkg", folder):
        place.chmod(0)
    assert remove(folder)
    assert not folder.exists()


def test_what_is_not_there_is_gone(folder: Path) -> None:
    assert remove(folder / "nothing")


def test_no_tree_is_too_deep(tmp_path: Path) -> None:
    top = tmp_path / "deep"
    top.mkdir()
    at = os.open(top, os.O_RDONLY)
    for _ in range(1_100):
        os.mkdir("dddd", dir_fd=at)
        inner = os.open("dddd", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    assert remove(top)
    assert not top.exists()


def test_one_that_is_asked_to_stop_leaves_the_rest(folder: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert not remove(folder, stop)
    assert (folder / "pkg" / "a.py").exists()
    assert remove(folder, threading.Event())


def test_one_that_is_under_way_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "large").mkdir()
    slow, started, stop = tmp_path / "slow-rm", tmp_path / "started", threading.Event()
    slow.write_text(f"#!/bin/sh\n: > {started}\nexec /bin/sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr(shadow_removal, "_rm", lambda: str(slow))

    def ask() -> None:
        while not started.exists():
            time.sleep(0.01)
        stop.set()

    asking = threading.Thread(target=ask)
    asking.start()
    assert not remove(tmp_path / "large", stop)
    asking.join()
    assert (tmp_path / "large").exists()


def test_no_program_of_a_workspace_is_started(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "rm").write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    (tmp_path / "bin" / "rm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    assert remove(folder)
    assert not folder.exists()
    assert not (tmp_path / "started").exists()
