"""The server is killed while a change waits for the person: the change can be applied all the same, and after one
more death taken back."""

from __future__ import annotations

from playwright.async_api import expect

from rig.polling import until
from rig.script import SUM, mending_cart
from rig.studio import Studio
from rig.workbench import Workbench


async def test_killed_later(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("sum and count")
    await expect(window.chat.button("Apply")).to_be_visible()
    await killed(window)
    await expect(window.chat.turns.first).to_contain_text("sum and count")
    await window.shot("back")
    assert cart.read_text() == before
    await window.chat.button("Apply").click()
    await until("the change is in the file", lambda: SUM["new"] in cart.read_text())
    await expect(window.chat.button("Undo")).to_be_visible()
    await killed(window)
    await window.chat.button("Undo").click()
    await until("what was applied before the death is taken back", lambda: cart.read_text() == before)
    await window.shot("undone")


async def killed(window: Workbench) -> None:
    """The server dies, and another one is there."""
    [server] = window.server.language_servers()
    server.kill()
    await until("another server", lambda: [one for one in window.server.language_servers() if one.pid != server.pid])
    await window.kaaj_is_ready()
