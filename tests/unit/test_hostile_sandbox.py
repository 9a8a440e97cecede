"""A repository that tries to show its commands more of the machine than the staged tree: by links and by what
configures its environments. Each test is an attack.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.world import Folders, World

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
SECRET = "private-of-the-neighbour"


@dataclass
class Box:
    """A person's home with a project in it, and what is none of its business beside it."""

    home: Path
    root: Path
    sandbox: Sandbox

    async def run(self, command: str) -> str:
        folders = Folders.of(self.root)
        shadow = await Shadow.open(folders, self.home / ".state", sandbox=self.sandbox)
        try:
            await shadow.sync(World(folders).snapshot())
            return (await shadow.shell.run(command, timeout=60)).output
        finally:
            await shadow.close()


@pytest.fixture
async def box(tmp_path: Path) -> Box:
    home = (tmp_path / "home").resolve()
    for name in (".ssh", ".state", "project", "lib", "bin", "other/lib"):
        (home / name).mkdir(parents=True)
    for name in (".ssh/id_rsa", ".state/commands.json", "notes.txt", "other/notes.txt"):
        (home / name).write_text(SECRET)
    found = await Sandbox.find([home / ".state"])
    if not found.available:
        pytest.skip(found.reason)
    return Box(home, home / "project", replace(found, home=home))


SEARCH = f"grep -Rs {SECRET} . {{home}} 2>/dev/null | head; ls -la; echo done"


def dependencies_link(box: Box) -> None:
    (box.root / "node_modules").symlink_to("../.ssh")


def deep_dependencies_link(box: Box) -> None:
    (box.root / "a").mkdir()
    (box.root / "a" / ".venv").symlink_to(box.home)


def egg_link(box: Box) -> None:
    (box.root / "x.egg-info").symlink_to("../other")


def ignored_dependencies_link(box: Box) -> None:
    (box.root / ".gitignore").write_text("vendor\n")
    (box.root / "vendor").symlink_to("../other")


def state_link(box: Box) -> None:
    (box.root / "node_modules").symlink_to("../.state")


def link_into_the_state(box: Box) -> None:
    (box.home / ".state" / "node_modules").mkdir()
    (box.home / ".state" / "node_modules" / "notes.txt").write_text(SECRET)
    (box.root / "node_modules").symlink_to("../.state/node_modules")


def environment_around_the_state(box: Box) -> None:
    (box.home / "pyvenv.cfg").write_text("")
    (box.root / ".venv").symlink_to(box.home)


def environment_around_a_home(box: Box) -> None:
    """Of the person who runs Kaaj, where its state is elsewhere."""
    person = box.home.parent / "person"
    (person / ".ssh").mkdir(parents=True)
    (person / ".ssh" / "id_rsa").write_text(SECRET)
    (person / "pyvenv.cfg").write_text("")
    (box.root / ".venv").symlink_to(person)


def repository_link(box: Box) -> None:
    (box.root / ".git").symlink_to("../.ssh")
    (box.home / ".ssh" / "config").write_text("[core]\n\tbare = false\n")


def interpreter_in_the_home(box: Box) -> None:
    (box.root / ".venv").mkdir()
    (box.root / ".venv" / "pyvenv.cfg").write_text(f"home = {box.home}/bin\n")


def interpreter_in_the_keys(box: Box) -> None:
    (box.root / ".venv").mkdir()
    (box.root / ".venv" / "pyvenv.cfg").write_text(f"home = {box.home}/.ssh/bin\n")


def interpreter_in_the_state(box: Box) -> None:
    (box.root / "deep" / "env").mkdir(parents=True)
    (box.root / "deep" / "env" / "pyvenv.cfg").write_text(f"home = {box.home}/.state/bin\n")


def interpreter_above_the_home(box: Box) -> None:
    (box.root / ".venv").mkdir()
    (box.root / ".venv" / "pyvenv.cfg").write_text(f"home = {box.home.parent}/x\n")


def interpreter_by_a_link(box: Box) -> None:
    (box.root / "lib").mkdir()
    (box.root / "bin").symlink_to("../other")
    (box.root / ".venv").mkdir()
    (box.root / ".venv" / "pyvenv.cfg").write_text(f"home = {box.root}/bin/x\n")


def plain_link(box: Box) -> None:
    (box.root / "notes").symlink_to(box.home / "notes.txt")


def link_through_a_link(box: Box) -> None:
    (box.root / "p" / "q").mkdir(parents=True)
    (box.root / "p" / "q" / "s").symlink_to("../..")
    (box.root / "p" / "q" / "evil").symlink_to("s/../notes.txt")


@pytest.mark.parametrize(
    "attack",
    [dependencies_link, deep_dependencies_link, egg_link, ignored_dependencies_link, state_link, link_into_the_state,
     environment_around_the_state, environment_around_a_home, repository_link,
     interpreter_in_the_home, interpreter_in_the_keys, interpreter_in_the_state, interpreter_above_the_home,
     interpreter_by_a_link, plain_link, link_through_a_link],
    ids=lambda attack: attack.__name__,
)  # fmt: skip
async def test_no_link_and_no_configuration_shows_a_command_more_of_the_home(
    box: Box, attack: Callable[[Box], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(box.home.parent / "person"))
    attack(box)
    output = await box.run(SEARCH.format(home=box.home))
    assert output.rstrip().endswith("done")
    assert SECRET not in output


async def test_a_link_to_real_dependencies_still_leads_there(box: Box) -> None:
    modules = box.home / "shared" / "node_modules"
    modules.mkdir(parents=True)
    (modules / "left-pad.js").write_text("pad")
    (box.root / "node_modules").symlink_to(modules)
    environment = box.home / "envs" / "shop"
    (environment / "bin").mkdir(parents=True)
    (environment / "pyvenv.cfg").write_text(f"home = {Path(shutil.which('python3') or '/usr/bin/python3').parent}\n")
    (environment / "marker").write_text("an environment")
    (box.root / ".venv").symlink_to(environment)
    assert "pad" in await box.run("cat node_modules/left-pad.js")
    assert "an environment" in await box.run("cat .venv/marker")


async def test_secret_files_are_not_in_the_tree_that_commands_see(box: Box) -> None:
    for name in (".env", "deploy.pem", "sub/id_rsa", "sub/.aws/credentials"):
        (box.root / name).parent.mkdir(parents=True, exist_ok=True)
        (box.root / name).write_text(SECRET)
    (box.root / ".gitignore").write_text("!.env\n")
    (box.root / "alias").symlink_to(".env")
    output = await box.run(f"cat .env deploy.pem sub/id_rsa alias; grep -r {SECRET} . ; echo done")
    assert SECRET not in output


async def test_the_tree_that_commands_see_is_its_owners_alone(box: Box) -> None:
    """It holds what is not saved yet, and the state folder may be open to others."""
    (box.home / ".state").chmod(0o755)
    shadow = await Shadow.open(Folders.of(box.root), box.home / ".state", sandbox=box.sandbox)
    try:
        assert [folder.stat().st_mode & 0o077 for folder in (shadow.folder, shadow.folder.parent)] == [0, 0]
    finally:
        await shadow.close()


def git(root: Path, *arguments: str) -> None:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", "-C", str(root), *who, *arguments], check=True, capture_output=True)


async def test_a_repository_that_tracks_secrets_is_not_shown_to_commands(box: Box) -> None:
    (box.root / ".env").write_text(SECRET)
    (box.root / "cart.py").write_text("total = 1\n")
    git(box.root, "init")
    git(box.root, "add", "cart.py")
    git(box.root, "commit", "-m", "cart")
    assert "total = 1" in await box.run("git show HEAD:cart.py"), "nothing is hidden for a file that git does not track"
    git(box.root, "add", ".env")
    git(box.root, "commit", "-m", "env")
    folders = Folders.of(box.root)
    shadow = await Shadow.open(folders, box.home / ".state", sandbox=box.sandbox)
    try:
        await shadow.sync(World(folders).snapshot())
        look = "git show HEAD:.env; git log -p; ls -la .git; find . -name '*.pack'"
        output = (await shadow.shell.run(look, timeout=60)).output
        assert SECRET not in output
        assert "HEAD" not in output.replace("HEAD:.env", "")
        assert [note for note in shadow.notes if "'.env'" in note and "!" in note]
    finally:
        await shadow.close()
