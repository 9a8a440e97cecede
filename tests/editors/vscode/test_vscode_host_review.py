"""A diff's virtual documents, as an extension beside Kaaj sees them (host_review/index.js)."""

from __future__ import annotations

from pathlib import Path

from rig.host import run_in_host
from rig.script import mending_cart
from rig.studio import Studio


async def test_virtual_documents(studio: Studio) -> None:
    studio.settings["files.autoSave"] = "off"  # which a browser's window does by itself
    studio.endpoint.add(*mending_cart())
    results = await run_in_host(studio, Path(__file__).parent / "host_review")
    assert {name: error for name, error in results.items() if error} == {}
    assert len(results) == 8
