"""The key for the endpoint is kept in VS Code's secret storage, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.studio import Studio

KEY = "sk-cheese-4711"


def holding(folder: Path, words: str) -> list[Path]:
    """The files that have the words in them, in plain text."""
    files = [path for path in folder.rglob("*") if path.is_file() and "extensions" not in path.parts]
    return [path for path in files if words.encode() in path.read_bytes()]


def sent_key(studio: Studio) -> str:
    chats = [one for one in studio.endpoint.received if one.path.endswith("/chat/completions")]
    return chats[-1].headers.get("authorization", "").removeprefix("Bearer ")


async def test_key(studio: Studio) -> None:
    studio.endpoint.add(answer("One."), answer("Two."), answer("Three."))
    window = await studio.window()
    await window.show_kaaj()
    await window.command("Kaaj: Set API key…")
    box = window.page.locator(".quick-input-widget .quick-input-box input")
    await expect(box).to_have_attribute("type", "password")
    await window.shot("asked")
    await window.type_into_quick_input(KEY)
    await window.chat.send("one")
    await expect(window.chat.newest).to_contain_text("One.")
    await window.chat.ended()
    assert sent_key(studio) == KEY
    assert holding(studio.home, KEY) == []  # settings, sessions, logs
    assert KEY not in window.server.extension_log()
    assert KEY not in await window.chat.body.inner_text()

    # The same command deletes it, and the running server knows at once.
    await window.command("Kaaj: Set API key…")
    await window.pick("Delete the stored API key")
    await window.chat.send("two")
    await expect(window.chat.newest).to_contain_text("Two.")
    await window.chat.ended()
    assert sent_key(studio) != KEY


@pytest.mark.parametrize("places", [("User",), ("User", "Machine")])
async def test_key_of_an_earlier_version(studio: Studio, places: tuple[str, ...]) -> None:
    """One that stands in a settings.json goes on working. Who is offered to move it finds it gone from there: in a
    remote window, which this one is, from both files of settings.
    """
    studio.endpoint.add(answer("One."), answer("Two."))
    server = await studio.server()
    files = [server.home / "data" / place / "settings.json" for place in places]
    for settings in files:
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"kaaj.apiKey": KEY}))
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("one")
    await expect(window.chat.newest).to_contain_text("One.")
    await window.chat.ended()
    assert sent_key(studio) == KEY
    await window.command("Notifications: Show Notifications")
    found = window.page.locator(".notifications-center .notification-list-item")
    await found.filter(has_text="in plain text").get_by_role("button", name="Move it").click()
    await until("it has gone from the settings", lambda: not any("apiKey" in one.read_text() for one in files))
    await window.chat.send("two")
    await expect(window.chat.newest).to_contain_text("Two.")
    assert sent_key(studio) == KEY


async def test_settings_are_validated(studio: Studio) -> None:
    """A wrong value is told where it is typed."""
    window = await studio.window()
    await window.command("Kaaj: Open settings")
    row = window.page.locator(".setting-item-contents").filter(has_text="Requests to the model that one task may make.")
    await row.locator("input").fill("0")
    await expect(row.locator(".setting-item-validation-message")).to_contain_text("greater than or equal to 1")
    await window.shot("wrong")
    await row.locator("input").fill("30")
    await expect(row.locator(".setting-item-validation-message")).to_be_hidden()
