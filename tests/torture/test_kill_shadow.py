"""Killed while a shadow workspace is laid out: the workspace is untouched, and the next start clears the rest away."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kaaj_agent import testing_kill
from kaaj_agent.changes import FileChange
from kaaj_agent.disk import read
from kaaj_agent.document import Document
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow, sweep
from kaaj_agent.testing_kill import kills
from kaaj_agent.world import Folders, World

pytestmark = pytest.mark.timeout(900)

FILES = {
    "cart.py": "x = 1\n",
    "sub/deep/er.py": "y = 1\n",
    "README.md": "# Shop\n",
    ".git/config": "[core]\n\tbare = false\n",
    ".gitignore": "build/\n",
    "build/out.txt": "made\n",
}
STAGED = "x = 2\n"


def make(root: Path) -> None:
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "link.py").symlink_to("cart.py")


def state_of(root: Path) -> dict[str, tuple[object, ...]]:
    """All that can be seen of each file, its times included."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        seen = path.lstat()
        data = path.read_bytes() if path.is_file() else b""
        found[path.relative_to(root).as_posix()] = (seen.st_mode, seen.st_ino, seen.st_mtime_ns, data)
    return found


async def lay(root: Path, state: Path) -> None:
    world = World(Folders.of(root))
    world.put(Document(root / "README.md", "# unsaved\n", 2))
    files = (
        FileChange(root / "cart.py", read(root / "cart.py"), STAGED),
        FileChange(root / "new/file.py", None, "z = 1\n"),
    )
    shadow = await Shadow.open(world.folders, state, sandbox=Sandbox(None))
    try:
        await shadow.sync(world.snapshot(), files)
        assert shadow.place_of(root / "cart.py").read_text() == STAGED
        assert shadow.place_of(root / "new/file.py").read_text() == "z = 1\n"
        shadow.place_of(root / "sub/deep/er.py").write_text("changed by a command\n")
        assert [change.path.name for change in await shadow.changed_files()] == ["er.py"]
    finally:
        await shadow.close()


def shadow(folder: Path, arm: Callable[[], None]) -> None:
    """The victim."""
    root = folder / "w"
    make(root)
    arm()
    asyncio.run(lay(root, folder / "state"))


async def test_killed_while_a_shadow_is_laid_out(slaughterhouse: Path, moments: int) -> None:
    found = kills(__file__, "shadow", slaughterhouse / "k", moments=moments)
    left = 0
    for kill in found:
        root, state = kill.folder / "w", kill.folder / "state"
        if (root / "link.py").is_symlink():  # else it was killed before there was anything: a random moment
            before = state_of(root)
            left += any((state / "shadows").glob("*/*"))
            assert {name: (root / name).read_text() for name in FILES} == FILES, kill
            await lay(root, state)
            assert state_of(root) == before, kill
        await sweep(state)
        assert [path for path in (state / "shadows").glob("*") if path.is_dir()] == [], kill
        old = time.time() - 7200
        for path in (state / "shadows").glob("*"):  # an orphan's lock goes an hour later
            os.utime(path, (old, old))
        await sweep(state)
        assert list((state / "shadows").glob("*")) == [], kill
    assert any(not kill.call for kill in found)
    assert left > 10
    print(f"shadow: {testing_kill.told(found)}; {left} left something behind")
