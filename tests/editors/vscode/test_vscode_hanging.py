"""A server whose process is there and does not answer; one that never begins to; one that cannot tell what it knows."""

from __future__ import annotations

import asyncio
from typing import Final

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.fake_kaaj import SENTENCE, Oddity, put_in
from rig.polling import until
from rig.script import SUM, held, mending_cart
from rig.studio import Studio


async def test_hanging(studio: Studio) -> None:
    """It is told that nothing is answered. Once it comes back all goes on; where it does not, one click helps."""
    cart = studio.folder / "cart.py"
    go = asyncio.Event()
    studio.endpoint.add(held("I think about the prices", go, ", and now I know."), *mending_cart())
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("think")
    await expect(window.chat.newest).to_contain_text("I think about the prices")
    [server] = window.server.language_servers()
    server.suspend()
    await window.chat.button("Stop the task").click()  # which nobody answers
    await window.status_says("does not answer", 60)
    await expect(window.chat.body).to_contain_text("has not answered for 15 seconds")
    await expect(window.chat.newest).to_contain_text("I think about the prices")
    await window.shot("hangs")

    server.resume()
    go.set()
    await window.chat.ended()
    await window.status_says("Kaaj is ready")
    assert [one.pid for one in window.server.language_servers()] == [server.pid]
    await expect(window.chat.body).not_to_contain_text("has not answered")

    # It hangs once more, and for good.
    server.suspend()
    await window.open_file("cart.py")
    await window.editor_text().click()
    await window.page.keyboard.type("# typed\n")  # the editor asks for lenses and the like all by itself
    await window.status_says("does not answer", 60)
    await window.chat.button("Restart server").click()
    await until("another server", lambda: [one for one in window.server.language_servers() if one.pid != server.pid])
    await until("the old one is gone", lambda: not server.is_running())
    await window.kaaj_is_ready()
    await expect(window.chat.turns.first).to_contain_text("I think about the prices")
    await window.page.keyboard.press("Control+Z")
    await window.chat.send("sum and count")
    await window.chat.button("Apply").click()
    await expect(window.editor_text()).to_contain_text(SUM["new"].strip())
    await window.save()
    await until("the change is in the file", lambda: SUM["new"] in cart.read_text())
    await window.shot("went-on")


BAD: Final[dict[Oddity, str]] = {
    "garbage": "does not speak as a language server does. It says “Welcome to kaaj!”",
    "silent": "did not answer within 30 seconds",
}


async def test_never_begins(studio: Studio) -> None:
    place = studio.home / "bin"
    studio.settings["kaaj.path"] = str(place / "kaaj")
    window = await studio.window(ready=False)
    await window.show_kaaj()
    await expect(window.chat.body).to_contain_text("bin/kaaj")
    for oddity, sentence in BAD.items():
        put_in(place, oddity)
        await window.command("Kaaj: Restart server")
        await expect(window.chat.body).to_contain_text(sentence, timeout=60_000)
        await window.status_says("Kaaj does not run")
        await until("its process has ended", lambda: not window.server.language_servers())
        await window.shot(oddity)


async def test_dies_at_the_beginning(studio: Studio) -> None:
    """It is started again a few times, then left alone; what it said last is told."""
    place = studio.home / "bin"
    put_in(place, "dies-in-its-answer")
    studio.settings["kaaj.path"] = str(place / "kaaj")
    window = await studio.window(ready=False)
    await window.show_kaaj()
    await expect(window.chat.body).to_contain_text("started again. It ended with exit code 3")
    put_in(place, "dies-at-initialize")
    await expect(window.chat.body).to_contain_text("ended 5 times within 3 minutes", timeout=60_000)
    await expect(window.chat.body).to_contain_text(SENTENCE)
    await window.status_says("Kaaj does not run")
    await window.shot("left-alone")


async def test_no_snapshot(studio: Studio) -> None:
    """A server that runs, and cannot say what it knows, is not told to be well."""
    place = studio.home / "bin"
    put_in(place, "no-snapshot")
    studio.settings["kaaj.path"] = str(place / "kaaj")
    window = await studio.window(ready=False)
    await window.show_kaaj()
    await window.status_says("not all is well", 30)
    assert SENTENCE in window.server.extension_log()
    await window.shot("trouble")
    (place / "kaaj").write_text(f'#!/bin/sh\nexec "{studio.kaaj}" "$@"\n')
    studio.endpoint.add(answer("All is well."))
    await window.command("Kaaj: Restart server")
    await window.status_says("Kaaj is ready")
    await window.chat.send("how are you?")
    await expect(window.chat.newest).to_contain_text("All is well.")
