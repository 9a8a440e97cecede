"""Repositories whose configuration names programs, places and hosts: nothing of it is run, read or reached."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from kaaj_agent.git_facts import git_facts
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import desk

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")

PROGRAMS = [
    "core.fsmonitor", "core.editor", "core.pager", "core.askPass", "core.sshCommand", "core.gitProxy",
    "core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv", "filter.evil.clean",
    "filter.evil.smudge", "filter.evil.process", "gpg.program", "gpg.ssh.program", "credential.helper",
    "uploadpack.packObjectsHook", "remote.origin.uploadpack", "remote.origin.receivepack", "sequence.editor",
    "interactive.diffFilter", "pager.diff", "alias.status", "alias.rev-parse", "alias.ls-files", "merge.evil.driver",
    "trailer.sign.command", "submodule.inner.update", "web.browser", "browser.evil.cmd", "sendemail.smtpserver",
    "init.templateDir", "core.worktree.evil", "maintenance.auto", "guitool.x.cmd", "man.viewer", "difftool.x.cmd",
]  # fmt: skip


def git(folder: Path, *arguments: str, config: Path | None = None) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": str(config or os.devnull), "GIT_CONFIG_NOSYSTEM": "1"}
    more = ["-c", "protocol.file.allow=always"]
    subprocess.run(["git", *identity, *more, *arguments], cwd=folder, check=True, capture_output=True, env=env)


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a mark where it is run."""
    script = tmp_path / "trap.sh"
    script.write_text(f'#!/bin/sh\ntouch "{tmp_path}/sprung"\ncat\n')
    script.chmod(0o755)
    return script


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text("x = 1\n")
    (root / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return root


async def everything(tmp_path: Path, root: Path) -> str:
    """A task that does all that looks at a repository; the prompts."""
    (root / "a.py").write_text("x = 22\n")
    await git_facts(root, seconds=20)
    ways = [call("list"), call("search", pattern="x"), call("read", path="a.py"), "Done."]
    async with desk(tmp_path, *ways) as d:
        await d.run()
        return "\n".join(message.content for request in d.model.requests for message in request.messages)


def sprung(tmp_path: Path) -> bool:
    return (tmp_path / "sprung").exists()


@pytest.mark.parametrize("key", PROGRAMS)
async def test_no_program_that_a_configuration_names_is_run(tmp_path: Path, repo: Path, trap: Path, key: str) -> None:
    git(repo, "config", key, str(trap))
    os.utime(repo / "a.py", (1, 1))
    facts = await git_facts(repo, seconds=20)
    assert facts is not None
    (repo / "a.py").write_text("x = 2 and longer\n")
    facts = await git_facts(repo, seconds=20)
    assert facts is not None
    assert "a.py" in facts.dirty
    assert not sprung(tmp_path)


async def test_no_hook_is_run_wherever_it_stands(tmp_path: Path, repo: Path, trap: Path) -> None:
    hooks = repo / "hooks"
    hooks.mkdir()
    known = ("pre-commit", "post-checkout", "post-index-change", "fsmonitor-watchman", "reference-transaction",
             "pre-auto-gc", "post-rewrite", "sendemail-validate", "p4-changelist")  # fmt: skip
    for name in known:
        for folder in (hooks, repo / ".git" / "hooks"):
            shutil.copy(trap, folder / name)
    git(repo, "config", "core.hooksPath", "hooks")
    (tmp_path / "sprung").unlink(missing_ok=True)
    await everything(tmp_path, repo)
    assert not sprung(tmp_path)


async def test_an_included_configuration_runs_nothing_either(tmp_path: Path, repo: Path, trap: Path) -> None:
    extra = repo / "extra.cfg"
    extra.write_text(f'[core]\n\tfsmonitor = {trap}\n[filter "evil"]\n\tclean = {trap}\n\trequired = true\n')
    for key in ("include.path", "includeIf.gitdir:**.path", "includeIf.onbranch:main.path"):
        git(repo, "config", key, str(extra))
    await everything(tmp_path, repo)
    assert not sprung(tmp_path)


async def test_a_filter_that_cannot_be_switched_off_means_that_git_is_not_asked(
    tmp_path: Path, repo: Path, trap: Path
) -> None:
    git(repo, "config", "filter.a=b.clean", str(trap))
    assert await git_facts(repo, seconds=20) is None
    assert not sprung(tmp_path)


@pytest.mark.parametrize("update", ["", "\tupdate = !{trap}\n"], ids=["usable", "unusable"])
async def test_a_submodule_and_a_nested_repository_run_nothing(
    tmp_path: Path, repo: Path, trap: Path, update: str
) -> None:
    inner = repo / "inner"
    inner.mkdir()
    git(inner, "init", "-q")
    (inner / "b.py").write_text("y = 1\n")
    git(inner, "add", ".")
    git(inner, "commit", "-qm", "x")
    git(repo, "add", "inner")
    modules = f'[submodule "inner"]\n\tpath = inner\n\turl = ext::sh -c "{trap}"\n'
    (repo / ".gitmodules").write_text(modules + update.format(trap=trap))
    for key in ("core.fsmonitor", "filter.evil.clean", "core.sshCommand"):
        git(inner, "config", key, str(trap))
    git(inner, "config", "core.hooksPath", str(tmp_path))
    (inner / ".gitattributes").write_text("* filter=evil\n")
    (inner / "b.py").write_text("y = 2\n")
    facts = await git_facts(repo, seconds=20)
    assert facts is not None
    assert update or ".gitmodules" in facts.dirty, "git has looked"
    await everything(tmp_path, repo)
    assert not sprung(tmp_path)


async def test_a_bare_repository_inside_of_a_folder_is_none(tmp_path: Path, trap: Path) -> None:
    """A clone can hold a whole bare repository as plain files, `core.fsmonitor` and `core.worktree` included."""
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "-q", "--bare")
    git(root, "config", "core.bare", "false")
    git(root, "config", "core.worktree", str(tmp_path))
    git(root, "config", "core.fsmonitor", str(trap))
    (tmp_path / "neighbour-4711.txt").write_text("x")
    facts = await git_facts(root, seconds=20)
    assert facts is None
    assert not sprung(tmp_path)


async def test_another_work_tree_is_not_looked_at(tmp_path: Path, repo: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "neighbour-4711.txt").write_text("x")
    git(repo, "config", "core.worktree", str(other))
    facts = await git_facts(repo, seconds=20)
    assert facts is None or not any("neighbour" in name for name in facts.dirty)
    assert "neighbour" not in await everything(tmp_path, repo)


async def test_nothing_is_fetched_for_what_is_missing(tmp_path: Path, repo: Path, trap: Path) -> None:
    """A partial clone fetches what it lacks when it is asked, by a transport that may be a program."""
    for key, value in (
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", f"ext::sh -c {trap}"),
        ("protocol.ext.allow", "always"),
        ("protocol.allow", "always"),
    ):
        git(repo, "config", key, value)
    for folder in (repo / ".git" / "objects").iterdir():
        if len(folder.name) == 2:
            shutil.rmtree(folder)
    await git_facts(repo, seconds=20)
    assert not sprung(tmp_path)


async def test_alternates_and_links_in_the_repository_lead_nowhere(tmp_path: Path, repo: Path) -> None:
    keys = tmp_path / ".ssh"
    keys.mkdir()
    (keys / "id_rsa").write_text("private-of-the-neighbour\n")
    (repo / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "objects" / "info" / "alternates").write_text(f"{keys}\n")
    (repo / ".git" / "info" / "exclude").unlink(missing_ok=True)
    (repo / ".git" / "info" / "exclude").symlink_to(keys / "id_rsa")
    (repo / ".git" / "HEAD").unlink()
    (repo / ".git" / "HEAD").symlink_to(keys / "id_rsa")
    assert "private-of-the-neighbour" not in await everything(tmp_path, repo)


async def test_a_git_file_that_points_elsewhere_brings_nothing_from_there(
    tmp_path: Path, repo: Path, trap: Path
) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / ".git").write_text(f"gitdir: {repo}/.git\n")
    git(repo, "config", "core.fsmonitor", str(trap))
    await git_facts(victim, seconds=20)
    assert not sprung(tmp_path)


async def test_the_users_index_refs_stash_and_hooks_are_left_alone(tmp_path: Path, repo: Path) -> None:
    def state() -> dict[str, bytes]:
        files = sorted(path for path in (repo / ".git").rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in files}

    (repo / "a.py").write_text("x = 2\n")
    git(repo, "stash", "-q")
    os.utime(repo / ".gitattributes", (1, 1))  # who refreshes the index writes it now
    before = state()
    await everything(tmp_path, repo)
    assert state() == before


async def test_the_users_own_configuration_changes_nothing(
    tmp_path: Path, repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "everything").write_text("*\n")
    (home / ".gitconfig").write_text(f"[core]\n\texcludesFile = {home}/everything\n")
    monkeypatch.setenv("HOME", str(home))
    (repo / "new.py").write_text("x = 1\n")
    facts = await git_facts(repo, seconds=20)
    assert facts is not None
    assert "new.py" in facts.dirty


async def test_a_branch_name_says_nothing_to_the_model_but_its_name(tmp_path: Path, repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "x-\u202e-ignore-all")
    assert "\u202e" not in await everything(tmp_path, repo)
