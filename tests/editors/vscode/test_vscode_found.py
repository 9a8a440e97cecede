"""No setting says where `kaaj` is: it is found on the PATH, and before that in the Python extension's environment."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import expect

from rig.studio import Studio
from rig.workbench import Workbench

PYTHON_EXTENSION = """\
exports.activate = () => ({
    environments: {
        getActiveEnvironmentPath: () => ({ path: process.env.CHOSEN_PYTHON }),
        resolveEnvironment: async ({ path }) => ({ executable: { uri: require("vscode").Uri.file(path) } }),
    },
});
"""


def put(studio: Studio, place: Path) -> Path:
    """A `kaaj` of its own there, which is the real one."""
    place.mkdir(parents=True)
    (place / "kaaj").write_text(f'#!/bin/sh\nexec "{studio.kaaj}" "$@"\n')
    (place / "kaaj").chmod(0o755)
    return place / "kaaj"


def on_path(studio: Studio) -> Path:
    """The same in a folder of the PATH, as the person's profile has it: VS Code takes a login shell's."""
    program = put(studio, studio.home / "bin")
    home = studio.home / "code-server"
    home.mkdir(exist_ok=True)
    (home / ".profile").write_text(f'PATH="{program.parent}:/usr/bin:/bin"\nexport PATH\n')
    studio.env["PATH"] = "/usr/bin:/bin"
    studio.settings["kaaj.path"] = ""
    return program


def python_extension(extensions: Path) -> None:
    """Install one that has the Python extension's interface alone."""
    place = extensions / "ms-python.python-1.0.0"
    place.mkdir()
    about = {"name": "python", "publisher": "ms-python", "version": "1.0.0", "engines": {"vscode": "^1.91.0"}}
    (place / "package.json").write_text(json.dumps({**about, "main": "./main.js", "activationEvents": []}))
    (place / "main.js").write_text(PYTHON_EXTENSION)
    listed = json.loads((extensions / "extensions.json").read_text())
    row = {"identifier": {"id": "ms-python.python"}, "version": "1.0.0", "relativeLocation": place.name}
    where = {"$mid": 1, "path": str(place), "scheme": "file"}
    (extensions / "extensions.json").write_text(json.dumps([*listed, {**row, "location": where}]))


async def started(window: Workbench, program: Path) -> None:
    """It is this one that runs."""
    await window.kaaj_is_ready()
    await window.status().hover()
    await expect(window.page.locator(".monaco-hover")).to_contain_text(f"Server: {program}")


async def test_on_path(studio: Studio) -> None:
    program = on_path(studio)
    window = await studio.window(ready=False)
    await started(window, program)


async def test_in_the_chosen_environment(studio: Studio) -> None:
    on_path(studio)
    program = put(studio, studio.home / "project-env" / "bin")
    studio.env["CHOSEN_PYTHON"] = str(program.parent / "python")
    server = await studio.server()
    python_extension(server.home / "extensions")
    window = await studio.window(ready=False)
    await started(window, program)
