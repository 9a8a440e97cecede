"""What the tests in the real editors share: where the editors are."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig import install


@pytest.fixture(scope="session")
def neovim() -> Path:
    """A current Neovim, as `make test-editors` installs it."""
    if not install.neovim().exists():
        pytest.fail(f"{install.neovim()} is not there: `make test-editors` installs it", pytrace=False)
    return install.neovim()


@pytest.fixture(scope="session")
def code_server() -> tuple[Path, Path]:
    """Node, and the entry of the code-server that runs on it."""
    for path in (install.node(), install.code_server()):
        if not path.exists():
            pytest.fail(f"{path} is not there: `make test-editors` installs it", pytrace=False)
    return install.node(), install.code_server()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    found = install.browser()
    if found is None:
        pytest.fail("there is no Chromium or Chrome: install one, or name it in KAAJ_BROWSER", pytrace=False)
    return found
