"""What hides in a change is flagged: by its characters, its place, its letters, its name; and ordinary text is not."""

from __future__ import annotations

from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.changes import ChangeSet, CheckResult, FileChange, Proposed
from kaaj_agent.disguise import acted_on, file_warning, text_warning, visible, warnings_of
from kaaj_agent.document import Document
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import desk
from kaaj_agent.world import Folders

DISGUISED = {
    "reversed": 'if access != "user\u202e \u2066// admin\u2069 \u2066":\n',
    "zero width": "def is\u200badmin(): ...\n",
    "joiner between letters": "ad\u200dmin = 1\n",
    "invisible letter": "const \u3164 = 1;\n",
    "soft hyphen": "pass\u00adword = 1\n",
    "a byte-order mark inside": "x = \ufeff1\n",
    "escape": "print('\x1b[1A\x1b[2K')\n",
    "backspaces": "harmful()\x08\x08\x08\n",
    "a return that takes the line back": "os.system('x')\rpass           \n",
    "a line end for some": "# note\u2028os.system('x')\n",
    "next line": "# note\u0085os.system('x')\n",
    "tags": "x = 1  #" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all") + "\n",
    "selectors": "x = 1\ufe01\ufe02\n",
    "braille blank": "a\u2800= 1\n",
    "Cyrillic in Latin": "p\u0430ypal = 1\n",
    "Greek in Latin": "\u03bfpen = 1\n",
    "far right": "x = 1;" + " " * 150 + "os.system('x')\n",
    "far right by tabs": "x = 1;" + "\t" * 120 + "os.system('x')\n",
    "joiner between Cyrillic letters": "клю\u200cч = 1\n",
    "joiner between Chinese letters": "变\u200d量 = 1\n",
    "selector behind a letter": "变\ufe0f量 = 1\n",
    "shorthand": "x\U0001bca0 = 1\n",
    "a silent note": "x = '\U0001d159'\n",
    "half a character": "x = '\ud800'\n",
}
ORDINARY = {
    "code": "def total(prices):\n\treturn sum(prices)\r\n",
    "German": "Größe = 'naïve façade'\n",
    "Russian": "# привет, мир\n",
    "Greek": "α = 1.0  # γωνία\n",
    "formula": "Δt = µ * Ω\n",
    "Arabic without marks": "# مرحبا\n",
    "Persian with a joiner": "# می\u200cخواهم\n",
    "Hindi with a joiner": "# क्\u200dष\n",
    "Bengali with both joiners": "# র\u200d্য ক্\u200cষ\n",
    "a family and signs": "# 👨\u200d👩\u200d👧 ✔\ufe0f ©\ufe0f ㊗\ufe0f 🏳\ufe0f\u200d🌈 👩🏽\u200d💻\n",
    "emoji": "# 👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3\n",
    "a flag of a region": "# \U0001f3f4" + "".join(chr(0xE0000 + ord(c)) for c in "gbsct") + "\U000e007f\n",
    "Chinese": "# 你好\u3000世界\n",
    "form feed": "a\n\x0cb\n",
    "old line ends": "a\rb\r",
    "deep": " " * 40 + "x = 1\n",
    "blank to the end": "x = 1" + " " * 150 + "\n",
}


@pytest.mark.parametrize("name", DISGUISED)
def test_what_hides_is_flagged(name: str) -> None:
    assert text_warning("", "first = 0\n" + DISGUISED[name]).startswith("Look closely")
    assert "line 2" in text_warning("", "first = 0\n" + DISGUISED[name])
    assert text_warning("", f"{DISGUISED[name]}\n").isprintable()


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_text_is_not_flagged(name: str) -> None:
    assert text_warning("", ORDINARY[name]) == ""


def test_what_stood_there_before_is_not_held_against_a_change_but_one_more_is() -> None:
    old = "a\u200bb\n"
    assert text_warning(old, "a\u200bb = 1\n") == ""
    assert "U+200B" in text_warning(old, "a\u200bb\u200b\n")


@given(st.text())
def test_what_is_visible_moves_no_cursor(text: str) -> None:
    shown = visible(text)
    assert not set(shown) & {"\x1b", "\x08", "\x9b", "\u202e", "\u2066", "\u200b", "\u2028"}
    assert "\r" not in shown.replace("\r\n", "")


@pytest.mark.parametrize(
    "name",
    [".vscode/settings.json", "sub/.vscode/tasks.json", ".GITHUB/workflows/ci.yml", ".envrc", ".husky/pre-commit",
     ".gitattributes", "x.code-workspace", "lib/evil.pth", ".devcontainer/devcontainer.json", ".claude/settings.json"],
)  # fmt: skip
def test_files_that_programs_act_on_are_known(name: str) -> None:
    assert acted_on(PurePath(name))


@pytest.mark.parametrize("name", ["src/app.py", "vscode/settings.json", "github/workflows/ci.yml", "docs/x.md", "path"])
def test_other_files_are_not(name: str) -> None:
    assert not acted_on(PurePath(name))


def test_a_name_that_hides_is_flagged_on_both_sides_of_a_rename(tmp_path: Path) -> None:
    folders = Folders.of(tmp_path)
    root = folders.roots[0]
    evil = root / "invoice\u202efdp.py"
    assert r"\u202e" in file_warning(FileChange(evil, None, "x"), folders)
    plain = Document(root / "a.py", "x")
    assert r"\u202e" in file_warning(FileChange(root / "a.py", plain, "x", evil), folders)
    assert file_warning(FileChange(root / "a.py", plain, "y"), folders) == ""
    assert file_warning(FileChange(root / ".envrc", Document(root / ".envrc", "x"), None), folders) == ""


def test_all_warnings_of_a_change_name_their_file(tmp_path: Path) -> None:
    folders = Folders.of(tmp_path)
    root = folders.roots[0]
    files = (
        FileChange(root / "a.py", None, DISGUISED["reversed"]).with_hunks(),
        FileChange(root / ".envrc", None, "x").with_hunks(),
    )
    rows = warnings_of(ChangeSet("c", "t", files, Proposed(CheckResult("none"))), folders)
    assert [row.partition(":")[0] for row in rows] == ["a.py", ".envrc"]


@pytest.mark.parametrize(("name", "text"), [("new.py", "x = '\u200b'\n"), (".vscode/tasks.json", "{}\n")])
async def test_what_has_to_be_looked_at_closely_is_told_and_never_applied_by_itself(
    tmp_path: Path, name: str, text: str
) -> None:
    async with desk(tmp_path, call("write", path=name, content=text), "Done.", mode="auto") as d:
        await d.run(mode="auto")
        assert isinstance(d.change().state, Proposed)
        assert not d.applier.applied
        told = "\n".join(getattr(event.body, "text", "") for event in d.events)
    assert "Look closely" in told
    assert "Not applied by itself" in told


@pytest.mark.parametrize("piece", ["a", " ", "\t", "\u200b", "ж", "\r", "aж", "\ud800"])
def test_a_long_text_is_looked_at_in_linear_time(piece: str) -> None:
    text = piece * 300_000
    assert text_warning("", text) or piece in ("a", " ", "\t", "ж", "\r")  # quadratic, this would not end


@pytest.mark.parametrize("mark", ["\u200b", "\x1b", "\u202e", "\x85", "\U000e0041", "\ud800"])
@pytest.mark.parametrize("around", ["x = 1\n", "# Größe für Äpfel\n", "# 这是一个测试\n", "# می\u200cخواهم ❤\ufe0f\n"])
def test_one_mark_in_a_long_text_is_found_where_it_stands(mark: str, around: str) -> None:
    text = around * 5_000 + f"a{mark}b\n" + around * 5_000
    assert f"U+{ord(mark):04X}" in text_warning("", text)
    assert "line 5001" in text_warning(around * 10_000, text)
    assert text_warning(text, text) == ""


@pytest.mark.parametrize("before", range(90, 115))
@pytest.mark.parametrize("blanks", [99, 100, 101, 111, 112])
def test_blanks_are_counted_wherever_they_begin(before: int, blanks: int) -> None:
    text = "x" * before + " \t"[blanks % 2] * blanks + "os.system('x')\n"
    assert ("far out to the right in line 1" in text_warning("", text)) == (blanks >= 100)


def test_more_hidden_characters_than_are_counted_are_told_though_all_stood_there() -> None:
    text = "a\u200b" * 12_000
    assert "U+200B" in text_warning("", text)
    assert text_warning(text, text).startswith("Look closely")
    mixed = "a\u200b" * 6_000 + "b\u200e" * 6_000
    assert text_warning(mixed[::-1], mixed).startswith("Look closely")


async def test_a_plain_change_is_applied_by_itself(tmp_path: Path) -> None:
    async with desk(tmp_path, call("write", path="new.py", content="x = 1\n"), "Done.", check="true") as d:
        await d.run(mode="auto")
        notices = [event.body for event in d.events if type(event.body).__name__ == "Noticed"]
    assert not any("Look closely" in getattr(body, "text", "") for body in notices)


def test_whatever_is_ignored_by_default_is_hidden() -> None:
    """Unicode's list of characters that show nothing (DerivedCoreProperties.txt, Default_Ignorable_Code_Point)."""
    ranges = (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
        (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
        (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
    )  # fmt: skip
    for first, last in ranges:
        for code in range(first, last + 1):
            assert text_warning("", f"a{chr(code)}b = 1\n"), hex(code)
