"""The server is killed in the middle of a task: it is started again, the conversation is still there, work goes on."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from rig.polling import until
from rig.script import SUM, held, mending_cart
from rig.studio import Studio


async def test_killed(studio: Studio) -> None:
    never = asyncio.Event()
    cart = studio.folder / "cart.py"
    studio.endpoint.add(held("I think about the prices", never), *mending_cart())
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("sum and count")
    await expect(window.chat.newest).to_contain_text("I think about the prices")
    [server] = window.server.language_servers()
    server.kill()
    await window.status_says("started again")
    await window.shot("restarting")
    await until("another server", lambda: [one for one in window.server.language_servers() if one.pid != server.pid])
    await window.kaaj_is_ready()

    # What was said is still there, and how it ended; one click begins anew.
    await expect(window.chat.turns.first).to_contain_text("I think about the prices")
    await window.shot("back")
    await window.chat.button("Retry").click()
    await expect(window.row("Changes", "Line 9")).to_be_visible()
    await window.chat.button("Apply").click()
    await until("the change is in the file", lambda: SUM["new"] in cart.read_text())
    await window.shot("went-on")


async def test_history(studio: Studio) -> None:
    """A window that is opened anew has the conversation; an older one is found by its words."""
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("sum and count the apples")
    await window.chat.button("Reject").click()
    await window.type_into_quick_input("")  # the reason, which may be left empty
    await window.chat.ended()
    await window.page.reload()
    await window.kaaj_is_ready()
    await window.show_kaaj()
    await expect(window.chat.turns.first).to_contain_text("sum and count the apples")
    await window.view_action("Chat", "New session")
    await expect(window.chat.turns).to_have_count(0)
    await window.view_action("Chat", "History")
    row = window.chat.frame.get_by_text("sum and count the apples").first
    await expect(row).to_be_visible()
    await window.shot("list")
    await row.click()
    await expect(window.chat.turns.first).to_contain_text("sum and count the apples")
