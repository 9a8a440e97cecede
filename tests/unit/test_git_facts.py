"""Git facts, from whatever repository: honest, bounded, and without running anything that the repository names."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kaaj_agent.git_facts import DIRTY_MAX, git_facts

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, env=env)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "sub").mkdir()
    for name in ("a.py", "sub/b.py"):
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


async def test_a_clean_repository(repo: Path) -> None:
    facts = await git_facts(repo)
    assert facts is not None
    assert (facts.branch, facts.dirty, facts.more) == ("main", (), 0)
    assert facts.head
    assert len(facts.head) == 12
    assert await git_facts(repo) is not None


async def test_changed_staged_and_unknown_files_are_dirty(repo: Path) -> None:
    (repo / "a.py").write_text("x = 22\n", encoding="utf-8")
    (repo / "sub" / "b.py").unlink()
    (repo / "new ü.py").write_text("", encoding="utf-8")
    (repo / "staged.py").write_text("", encoding="utf-8")
    git(repo, "add", "staged.py")
    facts = await git_facts(repo)
    assert facts is not None
    assert facts.dirty == ("a.py", "new ü.py", "staged.py", "sub/b.py")
    inner = await git_facts(repo / "sub")
    assert inner is not None
    assert inner.dirty == ("b.py",)


async def test_many_dirty_files_are_counted(repo: Path) -> None:
    for number in range(DIRTY_MAX + 7):
        (repo / f"n{number}").write_text("", encoding="utf-8")
    facts = await git_facts(repo)
    assert facts is not None
    assert (len(facts.dirty), facts.more) == (DIRTY_MAX, 7)


async def test_a_detached_head_and_no_commit_yet(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    git(repo, "checkout", "-q", "--detach")
    facts = await git_facts(repo)
    assert facts is not None
    assert facts.branch is None
    fresh = tmp_path_factory.mktemp("fresh")
    git(fresh, "init", "-q")
    facts = await git_facts(fresh)
    assert facts is not None
    assert (facts.branch, facts.head) == ("main", None)


async def test_no_repository_or_a_broken_one_gives_nothing(tmp_path: Path) -> None:
    assert await git_facts(tmp_path / "gone") is None
    (tmp_path / ".git").write_text("gitdir: /nowhere\n", encoding="utf-8")
    assert await git_facts(tmp_path) is None
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text("nonsense", encoding="utf-8")
    assert await git_facts(tmp_path) is None


async def test_nothing_that_the_repository_names_is_run(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    trap = tmp_path_factory.mktemp("trap")
    script = trap / "run.sh"
    script.write_text(f'#!/bin/sh\ntouch "{trap}/sprung"\ncat\n', encoding="utf-8")
    script.chmod(0o755)
    hooks = trap / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        shutil.copy(script, hooks / name)
    (repo / ".gitattributes").write_text("* filter=evil diff=evil\n", encoding="utf-8")
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.process", "diff.evil.command", "core.pager",
                "diff.external", "diff.evil.textconv", "core.editor", "core.sshCommand"):  # fmt: skip
        git(repo, "config", key, str(script))
    git(repo, "config", "core.hooksPath", str(hooks))
    (repo / "a.py").write_text("y = 1\n", encoding="utf-8")
    facts = await git_facts(repo)
    assert facts is not None
    assert "a.py" in facts.dirty
    (repo / "a.py").write_text("y = 1 and longer\n", encoding="utf-8")
    assert await git_facts(repo) is not None
    assert not (trap / "sprung").exists()
