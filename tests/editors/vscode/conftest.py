"""The tests in VS Code: the real workbench and extension host in a browser, the real server, a scripted model.

`make test-editors` builds the extension and puts in place what they need. Assert on files, on what the window shows
and on the server's log; never on toasts, which VS Code may hold back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from kaaj_agent.testing import ScriptedEndpoint
from rig.code_server import Program
from rig.studio import Studio

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CART = """\
def total(prices):
    result = 0
    for price in prices:
        result = price
    return result


def count(prices):
    return len(prices) + 1
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all: the browser is shared. A journey takes its time."""
    for item in items:
        if item.path.is_relative_to(HERE) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(150))


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory, code_server: tuple[Path, Path]) -> Program:
    """code-server with the extension as it is shipped: the .vsix of $KAAJ_VSIX, or dist/kaaj.vsix."""
    vsix = Path(os.environ.get("KAAJ_VSIX") or ROOT / "dist" / "kaaj.vsix")
    if not vsix.exists():
        pytest.fail(f"{vsix} is not there: `make vsix` builds it", pytrace=False)
    made = Program(*code_server, tmp_path_factory.mktemp("installed") / "extensions")
    made.install_extension(vsix)
    return made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Chromium's own sandbox wants rights that a container has not.
        started = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--force-color-profile=srgb"]
        )
        expect.set_options(timeout=20_000)  # a state that never comes fails; a slow machine does not
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def endpoint() -> AsyncIterator[ScriptedEndpoint]:
    async with ScriptedEndpoint() as scripted:
        yield scripted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small workspace."""
    made = tmp_path / "shop"
    made.mkdir()
    (made / "cart.py").write_text(CART)
    (made / "notes.txt").write_text("naïve 😀 line\nsecond\n")
    (made / "shop.json").write_text('{\n  "name": "shop"\n  "open": true\n}\n')  # a comma is missing
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def studio(
    request: pytest.FixtureRequest,
    program: Program,
    browser: Browser,
    tmp_path: Path,
    folder: Path,
    endpoint: ScriptedEndpoint,
) -> AsyncIterator[Studio]:
    node: pytest.Item = request.node
    journey = node.name.removeprefix("test_").partition("[")[0].replace("_", "-")
    kaaj = Path(os.environ.get("KAAJ_SERVER") or Path(sys.executable).parent / "kaaj")
    made = Studio(program, browser, tmp_path, folder, endpoint, kaaj, journey)
    try:
        yield made
        if node.stash.get(FAILED, True):
            kept = await made.keep_failure(node.name)
            sys.stderr.write(f"\nPictures and logs of the failure: {kept}\n")
    finally:
        await made.close()
