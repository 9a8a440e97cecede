"""System text and tool schemas stay small. `tests/bench/prompt.py` counts them by Qwen's own tokenizer."""

from __future__ import annotations

import json
from typing import Final

from kaaj_agent.prompt import SYSTEM
from kaaj_agent.tools.registry import SPECS, TOOLS

TOKENS_MAX: Final = 1_500
CHARACTERS_A_TOKEN: Final = 3.0
"""Fewer than Qwen's tokenizer has for English and JSON (about four), so that the bound errs on the safe side."""


def test_system_text_and_every_tool_fit_into_1500_tokens() -> None:
    rows = [
        {"type": "function", "function": {"name": s.name, "description": s.description, "parameters": s.parameters}}
        for s in SPECS
    ]
    text = SYSTEM + "\n".join(json.dumps(row) for row in rows)
    assert text.isascii(), "other characters cost more tokens than this estimate knows"
    assert len(text) / CHARACTERS_A_TOKEN <= TOKENS_MAX


def test_the_tools_and_their_order_are_a_part_of_the_prompt() -> None:
    assert list(TOOLS) == ["todo", "read", "search", "list", "edit", "write", "run", "diagnostics", "explore"]
    needed = {name: tool.spec.parameters["required"] for name, tool in TOOLS.items()}
    assert needed == {
        "todo": ["items"],
        "read": ["path"],
        "search": ["pattern"],
        "list": [],
        "edit": ["path", "old", "new"],
        "write": ["path", "content"],
        "run": ["command"],
        "diagnostics": [],
        "explore": ["question"],
    }
