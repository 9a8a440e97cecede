"""Where the victims are killed: in memory, if there is such a place, since some hundred kills sync a lot."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def slaughterhouse(tmp_path: Path) -> Iterator[Path]:
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path.resolve()
        return
    base = Path(tempfile.mkdtemp(dir=memory, prefix="kaaj-"))
    yield base
    shutil.rmtree(base, ignore_errors=True)


@pytest.fixture
def moments() -> int:
    """Random moments at which each victim is killed beside every call: KAAJ_TORTURE, or a few."""
    return int(os.environ.get("KAAJ_TORTURE", "20"))
