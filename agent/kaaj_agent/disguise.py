"""What a look at a change does not show: characters without a form, reversed text, code pushed out of sight, words that
mix alphabets, names that trick, and files that programs act on by themselves.

Such texts are flagged, not forbidden: Persian needs joiners, Arabic marks, emoji selectors, and where those stand as
their scripts have them nothing is said. What the old text of a hunk held already is not held against it. After
"Trojan Source" (Boucher and Anderson, 2021) and the Unicode Consortium's UTS 55.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import PurePath
from typing import Final

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.hunks import Hunk
from kaaj_agent.world import Folders, printable

_TOLD: Final = 3
"""Kinds of characters that one warning names."""
_LOOKED_AT: Final = 1_000
_FAR: Final = 100
"""Blanks in a row after which text is out of sight in most windows."""
_STEP: Final = 12
_MANY: Final = 10_000
"""Characters that do not show, after which they are no longer counted: a text with more is told of in any case."""

_JOINING: Final = "\u0620-\u08ff\u0900-\u109f\u1780-\u1aaf\u1b00-\u1bff\ua800-\uabff\U00010a00-\U00011fff"
"""Letters that joiners stand between: Arabic and its neighbours, those of India and around it."""
_EMOJI: Final = "\u00a9\u00ae\u2010-\u33ff\U0001f000-\U0001faff"
_FINE: Final = re.compile(
    rf"(?<=[{_JOINING}])[\u200c\u200d](?=[{_JOINING}])"  # Persian, Indic conjuncts
    rf"|(?<=[{_EMOJI}\ufe0f])\u200d(?=[{_EMOJI}])"  # emoji of several parts
    rf"|(?<=[{_EMOJI}])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f\u20e3?"  # text and emoji forms
    r"|(?<=\U0001f3f4)[\U000e0020-\U000e007e]{2,8}\U000e007f"  # flags of regions
)
_HIDDEN: Final = re.compile(
    "["
    "\x00-\x08\x0b\x0e-\x1f\x7f-\x9f"  # control characters, terminal escapes, U+0085
    "\u2028\u2029"  # line ends for some programs and not for others
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0"
    "\ufe00-\ufe0f\ufff0-\ufffb\U00013430-\U0001343f\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "\ud800-\udfff"
    "]"
)
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_OUT_OF_SIGHT: Final = re.compile(rf"(?<![^\S\r\n])[^\S\r\n]{{{_FAR},}}+(?=\S)")
_BLANK_FAR: Final = re.compile(rf"[^\S\r\n]{{{_FAR // _STEP}}}")
"""What is found in each _STEPth character of a text where something is out of sight."""
_LOOK: Final = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρυι\u0400-\u052f"
_LOOKS_LATIN: Final = re.compile(f"[{_LOOK}]")
_LATIN_BESIDE: Final = re.compile(f"[A-Za-z](?:(?=[{_LOOK}])|(?<=[{_LOOK}].))")
_MIXED: Final = re.compile(rf"(?:[A-Za-z][{_LOOK}]|[{_LOOK}][A-Za-z])\w{{0,20}}")
"""A word of Latin letters with Greek or Cyrillic ones among them that look the same."""
_ASCII: Final = bytes(range(0x80))
_CONTROLS: Final = bytes(code for code in _ASCII if _HIDDEN.match(chr(code)))

_ACTED_ON: Final = (
    ".vscode/*", "*.code-workspace", ".idea/*", ".devcontainer/*", ".devcontainer.json", ".envrc", ".husky/*",
    ".githooks/*", ".gitattributes", ".gitmodules", ".gitconfig", ".github/workflows/*", ".github/actions/*",
    ".gitlab-ci.yml", ".circleci/*", ".pre-commit-config.yaml", "lefthook.yml", ".npmrc", ".yarnrc", ".yarnrc.yml",
    ".mcp.json", ".cursor/*", ".claude/*", ".exrc", ".nvim.lua", ".dir-locals.el", "sitecustomize.py",
    "usercustomize.py", "*.pth",
)  # fmt: skip
"""Files that editors, git, shells or build services act on by themselves, without being asked each time."""


def hunk_warning(hunk: Hunk) -> str:
    """What its new lines hide; empty where they hide nothing."""
    return text_warning(hunk.old, hunk.new)


def text_warning(old: str, new: str) -> str:
    """What the new one of two texts hides, with its first line counted from 1; empty where it hides nothing.

    A megabyte takes some milliseconds, unless there is much in it to look at.
    """
    parts: list[str] = []
    marks = _marks(new)
    if told := _freshly_hidden(old, new, marks):
        more = f" and {len(told) - _TOLD} more kinds" if len(told) > _TOLD else ""
        parts.append(f"characters that do not show: {', '.join(told[:_TOLD])}{more}")
    if _BLANK_FAR.search(new[::_STEP]) and (far := _fresh(_OUT_OF_SIGHT, old, new)) is not None:
        parts.append(f"text far out to the right in line {_line(new, far.start())}")
    if _LOOKS_LATIN.search(marks) and _LATIN_BESIDE.search(new) and (word := _fresh(_MIXED, old, new)) is not None:
        parts.append(f"a word that mixes alphabets in line {_line(new, word.start())}: {word[0][:40]!a}")
    return f"Look closely: it holds {'; '.join(parts)}." if parts else ""


def file_warning(file: FileChange, folders: Folders) -> str:
    """What is odd about a file's name, or what is done with such a file by itself; empty where it is nothing."""
    for path in dict.fromkeys((file.target, file.path)):
        root = folders.root_of(path)
        name = path.relative_to(root) if root else path
        if not all(map(str.isprintable, name.parts)):
            return f"Look closely: its name holds characters that do not show: {printable(name.as_posix())}."
        if root is not None and file.after is not None and acted_on(name):
            return "Look closely: editors, git or build services act on this file by themselves."
    return ""


def acted_on(name: PurePath) -> bool:
    """Whether programs act on a file by themselves. `name` is relative to a workspace folder."""
    parts = [part.lower() for part in name.parts]
    ends = ["/".join(parts[at:]) for at in range(len(parts))]
    return any(fnmatchcase(end, pattern) for end in ends for pattern in _ACTED_ON)


def warnings_of(change: ChangeSet, folders: Folders) -> tuple[str, ...]:
    """All that has to be looked at closely, a sentence each, with its file. Blocks for large texts."""
    rows: list[str] = []
    for file in change.files:
        name = folders.name_of(file.target)
        for text in dict.fromkeys([file_warning(file, folders), *map(hunk_warning, file.hunks)]):
            if text:
                rows.append(f"{name}: {text}")
    return tuple(rows)


def visible(text: str) -> str:
    """The text with what does not show spelt out, for terminals: no escape of it has an effect."""
    text = _HIDDEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", text)
    return _LONE_RETURN.sub("<U+000D>", text)


def _marks(text: str) -> str:
    """What of a text is not ASCII, in its order, and the kinds of its control characters: most have little of it."""
    if text.isascii() and text.isprintable():
        return ""
    data = text.encode("utf-8", "surrogatepass")
    others = data.translate(None, _ASCII).decode("utf-8", "surrogatepass")
    return others + "".join(chr(code) for code in _CONTROLS if code in data)


def _freshly_hidden(old: str, new: str, marks: str) -> list[str]:
    """What does not show in the new text and did not stand in the old one, each kind with its first line."""
    if not ("\r" in new or _HIDDEN.search(marks)):
        return []
    told: list[str] = []
    before = Counter(found for found, _ in islice(_hidden(old), _MANY))
    seen: Counter[str] = Counter()
    for character, at in islice(_hidden(new), _MANY + 1):  # of so many at least one is more than before
        seen[character] += 1
        if seen[character] == before[character] + 1:
            told.append(f"{_called(character)} in line {_line(new, at)}")
    return told


def _hidden(text: str) -> Iterator[tuple[str, int]]:
    """Each character that does not show and has no business where it stands, with its place."""
    fine = 0  # up to here
    for found in _HIDDEN.finditer(text):
        if found.start() >= fine:
            allowed = _FINE.match(text, found.start())
            if allowed is None:
                yield found[0], found.start()
            else:
                fine = allowed.end()
    if "\n" in text:  # else it is the line end of the file, as old systems have it
        for found in _LONE_RETURN.finditer(text):
            yield "\r", found.start()


def _fresh(pattern: re.Pattern[str], old: str, new: str) -> re.Match[str] | None:
    """The first match of the new text that the old one does not hold."""
    return next((found for found in islice(pattern.finditer(new), _LOOKED_AT) if found[0] not in old), None)


def _called(character: str) -> str:
    name = unicodedata.name(character, "a control character" if ord(character) < 0xA0 else "")
    return f"U+{ord(character):04X} {name}".rstrip()


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
