"""Rule files: found from the root down, capped, and never read through a link that leaves the workspace."""

from __future__ import annotations

from pathlib import Path

from kaaj_agent.document import Document
from kaaj_agent.rules import FILE_MAX, TOTAL_MAX, Rule, rules_for
from kaaj_agent.world import Folders, Snapshot


def plant(root: Path, files: dict[str, str]) -> Snapshot:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Snapshot(Folders.of(root), {})


async def names(view: Snapshot, path: Path | None = None) -> list[str]:
    return [rule.name for rule in await rules_for(view, path)]


async def test_the_nearest_stands_last(tmp_path: Path) -> None:
    view = plant(
        tmp_path,
        {
            "AGENTS.md": "root",
            "a/CLAUDE.md": "a",
            "a/b/QWEN.md": "b",
            "c/AGENTS.md": "c",
            "a/b/x.py": "",
            "a/AGENTS.md": "A",
        },
    )
    root = view.folders.roots[0]
    assert await names(view, root / "a" / "b" / "x.py") == ["AGENTS.md", "a/CLAUDE.md", "a/AGENTS.md", "a/b/QWEN.md"]
    assert await names(view, root / "a" / "b") == ["AGENTS.md", "a/CLAUDE.md", "a/AGENTS.md", "a/b/QWEN.md"]
    assert await names(view, root / "a" / "new.py") == ["AGENTS.md", "a/CLAUDE.md", "a/AGENTS.md"]
    assert await names(view) == ["AGENTS.md"]
    assert await names(view, tmp_path.parent) == []


async def test_a_rule_folder_is_read_in_order(tmp_path: Path) -> None:
    view = plant(tmp_path, {".clinerules/1.md": "one", ".clinerules/2.txt": "two", ".clinerules/x.bin": "no"})
    assert await rules_for(view) == (Rule(".clinerules/1.md", "one"), Rule(".clinerules/2.txt", "two"))


async def test_an_unsaved_buffer_counts(tmp_path: Path) -> None:
    view = plant(tmp_path, {"AGENTS.md": "old"})
    path = view.folders.roots[0] / "AGENTS.md"
    unsaved = view.folders.roots[0] / "QWEN.md"
    buffers = {path: Document(path, "new", 2), unsaved: Document(unsaved, "fresh", 1)}
    assert await rules_for(Snapshot(view.folders, buffers)) == (Rule("QWEN.md", "fresh"), Rule("AGENTS.md", "new"))


async def test_empty_and_repeated_texts_are_left_out(tmp_path: Path) -> None:
    view = plant(tmp_path, {"AGENTS.md": "same\n", "CLAUDE.md": "same", "QWEN.md": "  \n"})
    assert await names(view) == ["AGENTS.md"]


async def test_sizes_are_capped_and_the_cut_is_told(tmp_path: Path) -> None:
    line = "Use tabs, ü.\n"
    view = plant(tmp_path, {"AGENTS.md": line * 2000, "a/AGENTS.md": "x" + line * 2000, "a/b/AGENTS.md": "near"})
    rules = await rules_for(view, view.folders.roots[0] / "a" / "b" / "f.py")
    assert rules[-1] == Rule("a/b/AGENTS.md", "near")
    assert all(len(rule.text.encode()) <= FILE_MAX + 60 for rule in rules)
    assert sum(len(rule.text.encode()) for rule in rules) <= TOTAL_MAX + 200
    assert "cut" in rules[0].text
    view = plant(tmp_path, {"a/b/c/AGENTS.md": "y" + line * 2000, "a/b/c/CLAUDE.md": "z" + line * 2000})
    rules = await rules_for(view, view.folders.roots[0] / "a" / "b" / "c" / "f.py")
    assert [rule.name for rule in rules][-1] == "a/b/c/AGENTS.md"
    assert "not shown" in rules[0].text


async def test_links_stay_within_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("secret", encoding="utf-8")
    view = plant(tmp_path / "w", {"docs/agents.md": "inside"})
    root = view.folders.roots[0]
    (root / "AGENTS.md").symlink_to(root / "docs" / "agents.md")
    (root / "CLAUDE.md").symlink_to(tmp_path / "secret.md")
    (root / "QWEN.md").symlink_to(root / "QWEN.md")
    (root / ".clinerules").symlink_to(tmp_path)
    assert await rules_for(view) == (Rule("docs/agents.md", "inside"),)


async def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    view = plant(tmp_path, {"QWEN.md": "fine"})
    (tmp_path / "AGENTS.md").write_bytes(b"\0\0")
    (tmp_path / "CLAUDE.md").mkdir()
    assert await names(view) == ["QWEN.md"]
