"""A problem of another language server, mended by the light bulb."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import COMMA, edit
from rig.studio import Studio


async def test_light_bulb(studio: Studio) -> None:
    shop = studio.folder / "shop.json"
    studio.endpoint.add(edit(COMMA), answer("A comma was missing."))
    window = await studio.window()
    await window.open_file("shop.json")
    await expect(window.page.locator(".squiggly-error")).to_be_visible()
    await window.go_to_line(3, 3)
    await window.light_bulb("Fix with Kaaj")
    await expect(window.lens("apply")).not_to_have_count(0)
    await window.shot("proposed")
    told = str(studio.endpoint.prompts[0]["messages"][-1]["content"])
    assert "Expected comma" in told
    assert "shop.json" in told
    await window.lens("apply 1 hunk").click()
    await expect(window.page.locator(".squiggly-error")).to_have_count(0)
    await window.save()
    await until("the file is mended", lambda: '"shop",\n' in shop.read_text())
    await window.shot("fixed")
