"""Lines that no repair needs to touch: documentation and comments. What a check can tell does not depend on them."""

from __future__ import annotations

import ast
import re
from pathlib import PurePath
from typing import Final

_HASH: Final = r"#(?!\s*(?:include|define|undef|if|ifdef|ifndef|else|elif|endif|pragma|error|!?\[))"
_COMMENT: Final = re.compile(rf"\s*(?://|/\*|\*/|\* |{_HASH}|--\s|;;)")


def passive_lines(name: str | PurePath, text: str) -> frozenset[int]:
    """Lines from 1 that hold nothing but comments or, in Python, a documentation string. Empty where it is unsure."""
    lines = text.split("\n")
    comments = {number for number, line in enumerate(lines, 1) if _COMMENT.match(line)}
    if PurePath(name).suffix not in (".py", ".pyi"):
        return frozenset(comments)
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    documentation: set[int] = set()
    strings: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr | ast.Constant | ast.JoinedStr):
            continue
        span = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if not isinstance(node, ast.Expr):
            strings.update(span[1:])
        elif isinstance(node.value, ast.Constant) and not lines[node.lineno - 1][: node.col_offset].strip():
            documentation.update(span)
    return frozenset((comments - strings) | documentation)
