"""Setting up by clicks: the server installed by the tool that is there, a model fetched for this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.studio import Studio


def script(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return path


def on_path(studio: Studio, folder: Path) -> None:
    """VS Code asks a login shell for the PATH."""
    profile = studio.home / "code-server" / ".profile"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(f'PATH="{folder}:/usr/bin:/bin"\n')
    studio.env |= {"PATH": f"{folder}:/usr/bin:/bin", "SHELL": "/bin/sh"}


async def test_install_by_a_click(studio: Studio) -> None:
    """The command is shown, run after a yes, and the server starts by itself."""
    tools, asked = studio.home / "tools", studio.home / "asked.txt"
    script(
        tools / "pipx",
        f'echo "$@" > "{asked}"',
        "echo 'installed package kaaj'",
        'mkdir -p "$HOME/.local/bin"',
        f'printf \'#!/bin/sh\\nexec "{studio.kaaj}" "$@"\\n\' > "$HOME/.local/bin/kaaj"',
        'chmod +x "$HOME/.local/bin/kaaj"',
    )
    studio.settings["kaaj.path"] = ""
    on_path(studio, tools)
    studio.endpoint.add(answer("Here I am."))
    window = await studio.window(ready=False)
    await window.show_kaaj()
    await window.status_says("not installed")
    await window.chat.button("Install…").click()
    dialog = window.page.locator(".monaco-dialog-box")
    await expect(dialog).to_contain_text("pipx install")
    await expect(dialog).to_contain_text("'kaaj[local]'")
    await window.shot("question")
    assert not asked.exists()
    await dialog.get_by_role("button", name="Install", exact=True).click()
    await until("pipx was asked", asked.exists)
    assert asked.read_text().split()[0] == "install"
    assert asked.read_text().split()[-1] == "kaaj[local]"
    await window.kaaj_is_ready()
    await window.shot("installed")
    await window.chat.send("are you there?")
    await expect(window.chat.newest).to_contain_text("Here I am.")


async def test_an_installation_that_fails_is_told(studio: Studio) -> None:
    tools = studio.home / "tools"
    script(tools / "pipx", "echo 'No matching distribution found' >&2", "exit 1")
    studio.settings["kaaj.path"] = ""
    on_path(studio, tools)
    window = await studio.window(ready=False)
    await window.show_kaaj()
    await window.chat.button("Install…").click()
    await window.page.locator(".monaco-dialog-box").get_by_role("button", name="Install", exact=True).click()
    await window.command("Notifications: Show Notifications")
    told = window.page.locator(".notifications-center .notification-list-item").filter(has_text="The command failed")
    await expect(told).to_have_count(1)
    await window.status_says("not installed")
    await window.shot("failed")
    await expect(told.get_by_role("button", name="Try again")).to_be_visible()


MODELS: Final = [
    {"name": "great-one", "bytes": 1_117_320_768, "path": None, "default": True},
    {"name": "small-one", "bytes": 491_400_064, "path": None, "default": False},
]


async def test_a_model_is_fetched(studio: Studio) -> None:
    """Picked from the list of what there is, fetched with its progress on view, and used from then on."""
    pulled = studio.home / "pulled.txt"
    kaaj = script(
        studio.home / "bin" / "kaaj",
        'case "$1 $2" in',
        f"'model list') echo '{json.dumps(MODELS)}';;",
        f'\'model pull\') echo "100 %"; echo "$3" > "{pulled}";;',
        f'*) exec "{studio.kaaj}" "$@";;',
        "esac",
    )
    studio.settings["kaaj.path"] = str(kaaj)
    window = await studio.window()
    await window.command("Kaaj: Download embedded model…")
    rows = window.page.locator(".quick-input-list [role=option]")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("download 1.1 GB")
    await window.shot("models")
    await window.pick("small-one")
    await until("it was fetched", pulled.exists)
    assert pulled.read_text() == "small-one\n"
    await expect(window.page.locator(".terminal-wrapper.active .xterm-screen")).to_be_visible()
    settings = window.server.home / "data" / "Machine" / "settings.json"
    used = '"kaaj.embeddedModel": "small-one"'
    await until("it is the one that is used", lambda: used in settings.read_text())
    await window.shot("fetched")
