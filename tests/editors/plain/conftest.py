"""What the tests with stock LSP clients share: a workspace, a scripted endpoint, a person's environment."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from kaaj_agent.testing import ScriptedEndpoint
from rig.plain_editor import KINDS, RealEditor, run_editor

CART: Final = """\
def total(prices):
    result = 0
    for price in prices:
        result = price
    return result


def mean(prices):
    return total(prices) / len(prices)


def count(prices):
    return len(prices) + 1
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "cart.py").write_text(CART)
    return folder.resolve()


@pytest.fixture
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint() as scripted:
        yield scripted


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def environ(tmp_path: Path, home: Path, endpoint: ScriptedEndpoint) -> dict[str, str]:
    """A person's environment, with nothing of the one who runs the tests; `kaaj` is on the PATH."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "KAAJ_BASE_URL": endpoint.base_url,
        "KAAJ_MODEL": "scripted",
        "KAAJ_STATE_DIR": str(tmp_path / "state"),
    }


@pytest.fixture(params=list(KINDS))
async def editor(
    request: pytest.FixtureRequest, workspace: Path, home: Path, environ: dict[str, str]
) -> AsyncIterator[RealEditor]:
    async with run_editor(request.param, workspace, home, environ) as running:
        yield running


@pytest.fixture(params=["neovim-0.11", "neovim-0.7"])
async def either_neovim(
    request: pytest.FixtureRequest, workspace: Path, home: Path, environ: dict[str, str]
) -> AsyncIterator[RealEditor]:
    """For what Emacs does not show: lenses, documents, progress."""
    async with run_editor(request.param, workspace, home, environ) as running:
        yield running
