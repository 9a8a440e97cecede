"""The server is killed in the middle of a task: it is started again, the conversation is still there, work goes on."""

from __future__ import annotations

import asyncio

from playwright.async_api import expect

from rig.polling import until
from rig.script import held, mending_cart
from rig.studio import Studio


async def test_killed(studio: Studio) -> None:
    never = asyncio.Event()
    studio.endpoint.add(held("I think about", never), *mending_cart())
    window = await studio.window()
    await window.open_file("cart.py")
    await window.ask("sum and count")
    await until("the model speaks", lambda: studio.endpoint.prompts)
    [server] = window.server.language_servers()
    server.kill()
    await window.status_says("started again")
    await window.shot("restarting")
    await until("another server", lambda: [one for one in window.server.language_servers() if one.pid != server.pid])
    await window.kaaj_is_ready()
    await window.ask("sum and count, please")
    await window.show_kaaj()
    await expect(window.row("Changes", "Line 9")).to_be_visible()
    await window.shot("went-on")
