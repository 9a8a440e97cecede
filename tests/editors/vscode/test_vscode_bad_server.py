"""A server that is missing, of another version, or no server at all: a sentence says so, and what to do."""

from __future__ import annotations

import re
from typing import Final

from playwright.async_api import expect

from rig.fake_kaaj import SENTENCE, Oddity, put_in
from rig.polling import until
from rig.studio import Studio
from rig.workbench import Workbench


async def test_missing(studio: Studio) -> None:
    """Nothing is found: the status bar offers to install it, the chat says why it is not there."""
    studio.settings["kaaj.path"] = ""
    studio.env["PATH"] = "/usr/bin:/bin"
    window = await studio.window(ready=False)
    await window.status_says("not installed")
    await window.show_kaaj()
    await expect(window.chat.body).to_contain_text("was not found on this machine")
    await window.shot("missing")
    assert not window.server.language_servers()
    # The command of the installation is shown before anything is run.
    await window.status().click()
    shown = window.page.locator(".quick-input-widget, .monaco-dialog-box").filter(has_text="pip")
    await expect(shown.first).to_be_visible()
    await window.shot("install")
    assert not list(studio.home.rglob("pyvenv.cfg"))


VERSIONS: Final[dict[Oddity, tuple[str, str]]] = {
    "old": ("server is too old", "speaks version 0"),
    "new": ("extension is too old", "speaks version 99"),
    "no-version": ("server is too old", "names no version"),
}


async def test_bad_servers(studio: Studio) -> None:
    """One after another at the place that the setting names, in one window; at last the real one."""
    place = studio.home / "bin"
    studio.settings["kaaj.path"] = str(place / "kaaj")
    window = await studio.window(ready=False)
    await window.show_kaaj()
    await expect(window.chat.body).to_contain_text("bin/kaaj")  # the setting names no file
    await window.shot("no-file")

    for oddity, (short, long) in VERSIONS.items():
        put_in(place, oddity)
        await window.command("Kaaj: Restart server")
        await window.status_says(short)
        await expect(window.chat.body).to_contain_text(long)
        await until("its process has ended", lambda: not window.server.language_servers())
        await window.shot(f"version-{oddity}")

    put_in(place, "exits")
    await window.command("Kaaj: Restart server")
    await until("its last words are in the log", lambda: SENTENCE in window.server.extension_log())
    await expect(window.chat.body).to_contain_text("does not run")
    await window.shot("exits")

    put_in(place, "dies-after-initialize")
    await window.command("Kaaj: Restart server")
    await window.status_says("started again")
    await window.shot("dies")

    # While it waits to be started once more, a good one is put there: nobody has to press anything.
    (place / "kaaj").write_text(f'#!/bin/sh\nexec "{studio.kaaj}" "$@"\n')
    await answers(window)


async def answers(window: Workbench) -> None:
    await window.kaaj_is_ready()
    await window.status_says(re.compile("Kaaj is ready|ready", re.IGNORECASE))
    await expect(window.chat.body).to_contain_text("What should be done?")
