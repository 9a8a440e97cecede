"""What git knows about a workspace, for the prompt. The only module that uses GitPython.

A repository's own configuration may name programs to run (hooks, a file-system monitor, content filters), and a
workspace is not trusted: hooks, the monitor and every filter that the configuration names are switched off, and only
plumbing is asked. A bare repository that lies in a folder as plain files is none, and nothing is fetched. (Even that
reads a file and filters it where the time stamp leaves doubt.) The user's and the system's configuration are not
read.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DIRTY_MAX: Final = 50
_SECONDS: Final = 5.0

_ENV: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}
_SAFE: Final = (
    "git", "-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "core.pager=cat",
    "-c", "safe.bareRepository=explicit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GitFacts:
    """A folder in a repository. `branch` is None on a detached head, `head` before the first commit.

    `dirty` names files, relative to the folder, that differ from the last commit by index or time stamp or that git
    does not know; at most 50, sorted. `more` counts the others.
    """

    branch: str | None
    head: str | None
    dirty: tuple[str, ...] = ()
    more: int = 0


async def git_facts(folder: Path, *, seconds: float = _SECONDS) -> GitFacts | None:
    """What git knows about a folder; None where it is in no repository, git is missing, or it is too slow."""
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.to_thread(_facts, folder, seconds)
    except TimeoutError:
        return None


def _facts(folder: Path, seconds: float) -> GitFacts | None:
    try:
        from git import Git, GitCommandError  # noqa: PLC0415 - heavy, and it looks for git
        from git.exc import GitError  # noqa: PLC0415
    except ImportError:
        return None  # GitPython says so where there is no git
    runner = Git()
    switches: list[str] = []

    def ask(*arguments: str) -> str | None:
        """The output, or None where git says no."""
        try:
            output = runner.execute(
                [*_SAFE, *switches, "-C", str(folder), *arguments],
                env=_ENV,
                kill_after_timeout=seconds if os.name == "posix" else None,
                strip_newline_in_stdout=False,
            )
        except GitCommandError:
            return None
        return output

    try:
        if (ask("rev-parse", "--is-inside-work-tree") or "").strip() != "true":
            return None
        keys = ask("config", "--null", "--name-only", "--get-regexp", r"^filter\.") or ""
        filters = {key.removeprefix("filter.").rpartition(".")[0] for key in keys.split("\0") if key}
        if any("=" in name for name in filters):
            return None  # such a filter cannot be switched off on the command line
        for name in sorted(filters):
            for setting in ("clean=", "smudge=", "process=", "required=false"):
                switches += ("-c", f"filter.{name}.{setting}")
        branch = ask("symbolic-ref", "--short", "--quiet", "HEAD")
        head = ask("rev-parse", "--verify", "--quiet", "--short=12", "HEAD")
        listed = [
            ask("diff-files", "--name-only", "-z", "--relative", "--ignore-submodules=all"),
            ask("ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z"),
            ask("diff-index", "--cached", "--name-only", "-z", "--relative", "--ignore-submodules=all", "HEAD")
            if head
            else ask("ls-files", "-z"),
        ]
    except (GitError, OSError, ValueError):
        return None
    names = sorted({name for output in listed if output for name in output.split("\0") if name})
    return GitFacts(_line(branch), _line(head), tuple(names[:DIRTY_MAX]), max(0, len(names) - DIRTY_MAX))


def tracked(folder: Path) -> tuple[str, ...]:
    """The files below a folder that are in its repository's index, relative to it; none where git cannot say. Slow."""
    try:
        from git import Git  # noqa: PLC0415 - heavy, and it looks for git
        from git.exc import GitError  # noqa: PLC0415
    except ImportError:
        return ()
    try:
        listed = Git().execute(
            [*_SAFE, "-C", str(folder), "ls-files", "-z"],
            env=_ENV,
            kill_after_timeout=_SECONDS if os.name == "posix" else None,
            strip_newline_in_stdout=False,
        )
    except (GitError, OSError, ValueError):
        return ()
    return tuple(name for name in listed.split("\0") if name)


def _line(output: str | None) -> str | None:
    return output.strip() or None if output else None
