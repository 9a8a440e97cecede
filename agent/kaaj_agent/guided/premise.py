"""What a request takes for granted, where that can be held against what is so."""

from __future__ import annotations

import re
from typing import Final

from kaaj_agent.guided.sources import Sources

_FILLING: Final = frozenset({
    "a", "again", "all", "and", "are", "broken", "bug", "bugs", "build", "but", "can", "case", "cases", "check",
    "checks", "code", "correct", "could", "currently", "do", "does", "error", "errors", "fail", "failed", "failing",
    "fails", "failure", "failures", "find", "fix", "for", "get", "green", "in", "is", "it", "make", "me", "mend",
    "must", "my", "now", "of", "on", "one", "our", "pass", "passes", "passing", "please", "pytest", "red", "repair",
    "run", "running", "should", "so", "some", "suite", "test", "testcase", "tests", "that", "the", "them", "there",
    "these", "they", "this", "to", "two", "unit", "unittest", "unittests", "when", "which", "with", "you", "your",
})  # fmt: skip
_WORD: Final = re.compile(r"[^\W\d]\w*")
_LONGEST: Final = 400
_TESTS: Final = re.compile(r"\b(?:tests?|checks?|suite|build)\b|test_", re.IGNORECASE)


def only_that_tests_fail(words: str, command: str, sources: Sources) -> bool:
    """Whether a request says that tests (or the check) fail and are to pass, and nothing else. Blocks.

    Where the check passes as things are, such a request rests on something that is not so.
    """
    if len(words) > _LONGEST:
        return False
    names_it = bool(command) and command in words
    rest = words.replace(command, " ") if names_it else words
    said = _WORD.findall(re.sub(r"[\w./-]+\.\w+", " ", rest))
    named = [name for name in re.findall(r"[\w./-]+\.\w+", rest) if not _is_test_file(name, sources)]
    if named or not (names_it or _TESTS.search(words)):
        return False
    return all(word.lower() in _FILLING or _is_test(word, sources) for word in said)


def _is_test(word: str, sources: Sources) -> bool:
    """Whether a word is the name of a test of the workspace, and of nothing else."""
    places = sources.definitions(word, tests=True)
    return bool(places) and all(sources.is_test(path) for path, _ in places)


def _is_test_file(name: str, sources: Sources) -> bool:
    found = [path for path in sources.texts if f"/{sources.name(path)}".endswith(f"/{name.lstrip('./')}")]
    return bool(found) and all(map(sources.is_test, found))
