"""What the end-to-end tests share: a workspace, a scripted endpoint, and editors that speak to the real server."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from kaaj_agent.testing import ScriptedEndpoint
from kaaj_server.testing import NEOVIM_11, FakeEditor, NewEditor, Obeys, unanswered

Json: TypeAlias = Any

CART = """\
def total(prices):
    result = 0
    for price in prices:
        result = price
    return result


def count(prices):
    return len(prices) + 1
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "cart.py").write_text(CART)
    (folder / "notes.txt").write_text("naïve 😀 line\nsecond\n")
    return folder.resolve()


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint() as scripted:
        yield scripted


@pytest.fixture
def env(tmp_path: Path, endpoint: ScriptedEndpoint) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT", "TEMP") if name in os.environ}
    return kept | {
        "HOME": str(tmp_path / "home"),
        "KAAJ_BASE_URL": endpoint.base_url,
        "KAAJ_MODEL": "scripted",
        "KAAJ_API_KEY": "sk-very-secret",
        "KAAJ_STATE_DIR": str(tmp_path / "state"),
        "PYTHONWARNINGS": "default",
    }


@pytest.fixture
def new_editor(workspace: Path, env: dict[str, str]) -> NewEditor:
    """Makes an editor for the workspace; `async with` starts its server. The check is off unless it is asked for."""

    def make(
        *,
        capabilities: Json = NEOVIM_11,
        settings: Json = None,
        options: Json = None,
        obeys: Obeys = "applies",
        answer: Callable[[Sequence[str]], str | None] = unanswered,
        answers_configuration: bool = True,
    ) -> FakeEditor:
        given = {"check": "none"} if settings is None else settings
        return FakeEditor(workspace, capabilities, env, given, options, obeys, answer, answers_configuration)

    return make
