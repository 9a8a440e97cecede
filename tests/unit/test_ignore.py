"""Ignore rules: git's, the user's, and the built-in ones."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaaj_agent.ignore import Ignore, Reason
from kaaj_agent.world import Folders


def plant(root: Path, files: dict[str, str]) -> Ignore:
    """A workspace with these files; a name that ends with `/` is an empty folder."""
    for name, text in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Ignore(Folders.of(root))


def walked(ignore: Ignore, root: Path) -> list[str]:
    return [path.relative_to(root.resolve()).as_posix() for path in ignore.walk(root.resolve())]


@pytest.mark.parametrize(
    ("rules", "name", "reason"),
    [
        ({".gitignore": "*.log\n"}, "a.log", ".gitignore"),
        ({".gitignore": "*.log\n!keep.log\n"}, "keep.log", None),
        ({".gitignore": "build/\n"}, "deep/build/x.py", ".gitignore"),
        ({".gitignore": "/build\n"}, "deep/build/x.py", None),
        ({".gitignore": "*.log\n", "deep/.gitignore": "!a.log\n"}, "deep/a.log", None),
        ({".gitignore": "logs/\n", "logs/.gitignore": "!a\n"}, "logs/a", ".gitignore"),
        ({"deep/.gitignore": "/x\n"}, "deep/x", ".gitignore"),
        ({"deep/.gitignore": "/x\n"}, "x", None),
        ({".git/info/exclude": "mine\n"}, "a/mine", ".gitignore"),
        ({".kaajignore": "private/\n"}, "private/a", ".kaajignore"),
        ({".gitignore": "*.gen\n", ".kaajignore": "!a.gen\n"}, "a.gen", ".gitignore"),
        ({".gitignore": "\\\n[z\nx\n"}, "x", ".gitignore"),
        ({}, ".git/config", "version control"),
        ({}, "sub/.hg/store", "version control"),
        ({}, ".env", "secret"),
        ({}, "config/.env.local", "secret"),
        ({}, ".env.example", None),
        ({}, "keys/server.PEM", "secret"),
        ({}, ".ssh/config", "secret"),
        ({}, "node_modules/a/index.js", "built in"),
        ({}, "src/environment.py", None),
    ],
)
def test_reason(tmp_path: Path, rules: dict[str, str], name: str, reason: Reason | None) -> None:
    ignore = plant(tmp_path, {**rules, name: "x"})
    assert ignore.reason(tmp_path.resolve() / name) == reason
    assert (name in walked(ignore, tmp_path)) == (reason is None)


def test_secrets_may_be_allowed(tmp_path: Path) -> None:
    plant(tmp_path, {".env": "KEY=1"})
    folders = Folders.of(tmp_path)
    assert Ignore(folders).ignored(folders.roots[0] / ".env")
    assert not Ignore(folders, secrets=True).ignored(folders.roots[0] / ".env")


def test_outside_of_the_workspace_is_ignored(tmp_path: Path) -> None:
    ignore = plant(tmp_path / "in", {"a": ""})
    assert ignore.reason(tmp_path.resolve() / "b") == "outside"
    assert list(ignore.walk(tmp_path.resolve())) == []


def test_a_changed_rule_file_counts_at_once(tmp_path: Path) -> None:
    ignore = plant(tmp_path, {"a.txt": "", ".gitignore": "b*\n"})
    path = tmp_path.resolve() / "a.txt"
    assert not ignore.ignored(path)
    (tmp_path / ".gitignore").write_text("a.txt\n", encoding="utf-8")
    assert ignore.ignored(path)
    (tmp_path / ".gitignore").unlink()
    assert not ignore.ignored(path)


def test_rules_of_the_repository_around_the_folder_count_and_those_above_do_not(tmp_path: Path) -> None:
    plant(tmp_path, {".gitignore": "*\n", "repo/.git/": "", "repo/.gitignore": "sub/*.tmp\n", "repo/sub/a.tmp": ""})
    plant(tmp_path, {"repo/sub/a.py": ""})
    sub = tmp_path.resolve() / "repo" / "sub"
    ignore = Ignore(Folders.of(sub))
    assert [path.name for path in ignore.walk(sub)] == ["a.py"]


def test_walk_is_sorted_bounded_and_follows_no_link(tmp_path: Path) -> None:
    ignore = plant(tmp_path, {"b/2": "", "b/10": "", "a.py": "", "b.py": "", "a/z": ""})
    (tmp_path / "link").symlink_to(tmp_path / "b")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "file_link").symlink_to(tmp_path / "a.py")
    os.mkfifo(tmp_path / "pipe")
    names = walked(ignore, tmp_path)
    assert names == ["a/z", "a.py", "b/10", "b/2", "b.py"]
    assert names == sorted(names, key=lambda name: name.split("/"))
    assert [path.name for path in ignore.walk(tmp_path.resolve(), limit=2)] == ["z", "a.py"]


def test_children_name_folders(tmp_path: Path) -> None:
    ignore = plant(tmp_path, {"b/x": "", "a": "", ".gitignore": "c\n", "c/y": ""})
    assert ignore.children(tmp_path.resolve()) == [(".gitignore", False), ("a", False), ("b", True)]
    assert ignore.children(tmp_path.resolve() / "c") == []
    assert ignore.children(tmp_path.resolve() / "gone") == []


def test_a_rule_file_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    ignore = plant(tmp_path / "in", {"a": ""})
    (tmp_path / "rules").write_text("*\n", encoding="utf-8")
    (tmp_path / "in" / ".gitignore").symlink_to(tmp_path / "rules")
    assert not ignore.ignored(tmp_path.resolve() / "in" / "a")


PATTERNS = st.lists(
    st.sampled_from(
        [
            "*",
            "!*/",
            "!*.py",
            "*.py",
            "a",
            "a/",
            "/a",
            "a/*",
            "!a/b",
            "a/**",
            "**/b",
            "!b",
            "b/a.py",
            "# x",
            "",
            "!a/",
            "?",
        ]
    ),
    max_size=5,
)
TREE = ("a/b/a.py", "a/b/b", "a/a.py", "b/a.py", "b/a/b", "a.py", "c")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(top=PATTERNS, deep=PATTERNS)
def test_rules_mean_what_git_means(tmp_path: Path, top: list[str], deep: list[str]) -> None:
    """An independent model: git itself, asked about the same tree."""
    if not (tmp_path / ".git").exists():
        try:
            subprocess.run(["git", "init", "-q", str(tmp_path)], check=True, capture_output=True)
        except FileNotFoundError:
            pytest.skip("git is not installed")
    ignore = plant(
        tmp_path,
        {**dict.fromkeys(TREE, ""), ".gitignore": "\n".join(top) + "\n", "a/.gitignore": "\n".join(deep) + "\n"},
    )
    asked = subprocess.run(
        ["git", "-c", "core.excludesFile=/dev/null", "check-ignore", "--stdin", "--no-index"],
        input="\n".join(TREE), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    mine = [name for name in TREE if ignore.ignored(tmp_path.resolve() / name)]
    assert mine == asked.stdout.split()
