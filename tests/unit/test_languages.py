from __future__ import annotations

import pytest

from kaaj_agent.languages import PLAIN, language_of


@pytest.mark.parametrize(
    ("name", "fence", "comment"),
    [
        ("a/b.py", "python", "#"),
        ("a.TSX", "tsx", "//"),
        ("Makefile", "makefile", "#"),
        ("sub/Dockerfile", "dockerfile", "#"),
        ("CMakeLists.txt", "cmake", "#"),
        ("notes.txt", "text", ""),
        (".bashrc", "bash", "#"),
        ("r", "text", ""),
        ("a.h", "c", "//"),
        ("x.tar.gz", "text", ""),
    ],
)
def test_a_name_tells_the_language(name: str, fence: str, comment: str) -> None:
    language = language_of(name)
    assert (language.fence, language.comment) == (fence, comment)
    assert (language is PLAIN) == (fence == "text")
