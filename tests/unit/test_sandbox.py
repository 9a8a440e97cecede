"""The sandbox: what a command can see, and where."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent import bubblewrap as module
from kaaj_agent.command_caps import FILE_MAX_BLOCKS
from kaaj_agent.sandbox import Sandbox, toolchains
from kaaj_agent.shadow import Shadow
from kaaj_agent.world import Folders, World


async def test_why_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    off = await Sandbox.find(wanted=False)
    assert not off.available
    assert "switched off" in off.reason
    module.try_bubblewrap.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "not installed" in (await Sandbox.find()).reason
    module.try_bubblewrap.cache_clear()
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions' >&2\nexit 1\n")
    fake.chmod(0o755)
    assert "No permissions" in (await Sandbox.find()).reason
    module.try_bubblewrap.cache_clear()


def test_plain_commands_run_by_sh() -> None:
    argv = Sandbox(None).argv("echo 'a b'", Path("/"), Path("/w"))
    assert subprocess.run(argv, capture_output=True, check=True, text=True).stdout == "a b\n"


PLACES = st.sampled_from(["/tmp/w", "/home/me/w", "/home/me/src/deep/w", "/srv/w", "/home/me/.local/share/w"])  # noqa: S108


@given(PLACES, st.sampled_from(["/home/me/.local/share/kaaj", "/tmp/state", "/srv/w/.kaaj"]))  # noqa: S108
def test_what_lies_deeper_is_mounted_later(workspace: str, state: str) -> None:
    root = Path(workspace)
    sandbox = Sandbox(Path("/usr/bin/bwrap"), hidden=(Path(state),), home=Path("/home/me"))
    argv = sandbox.argv("true", Path(state) / "shadow", root, [root / ".venv"], home=Path(state) / "home")
    places = [Path(argv[i + (1 if flag == "--tmpfs" else 2)]) for i, flag in mounts(argv)]
    assert root in places
    for index, place in enumerate(places):
        assert not any(later != place and place.is_relative_to(later) for later in places[index + 1 :])
    assert len(set(places)) == len(places)


def mounts(argv: list[str]) -> list[tuple[int, str]]:
    end = argv.index("--")
    flags = ("--tmpfs", "--bind", "--ro-bind")
    return [(i, flag) for i, flag in enumerate(argv[:end]) if flag in flags and argv[i + 1] != "/"]


def test_toolchains_hold_no_secrets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (
        ".cargo/bin",
        ".local/bin",
        ".local/share/uv",
        ".local/share/keyrings",
        "opt/node/bin",
        "opt/node/lib",
        "bin",
        ".ssh",
    ):
        (home / name).mkdir(parents=True)
    (home / ".local/share/kaaj").mkdir()
    names = ("opt/node/bin", "bin", "no/bin", ".", ".local/share", ".local/share/kaaj")
    path = os.pathsep.join(["relative", "/usr/bin", *(str(home / name) for name in names)])
    found = toolchains(home, path, (home / ".local/share/kaaj", home))
    inside = {str(p.relative_to(home)) for p in found if p.is_relative_to(home)}
    assert inside == {".cargo/bin", ".local/bin", ".local/share/uv", "opt/node", "bin"}


@pytest.fixture
async def sandbox(tmp_path: Path) -> Sandbox:
    found = await Sandbox.find([tmp_path / "home/.state"])
    if not found.available:
        pytest.skip(found.reason)
    home = (tmp_path / "home").resolve()
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id_rsa").write_text("private")
    (home / ".cargo/bin").mkdir(parents=True)
    (home / ".cargo/bin/tool").write_text("#!/bin/sh\necho tool\n")
    (home / ".cargo/bin/tool").chmod(0o755)
    (home / ".cargo/credentials.toml").write_text("private")
    return replace(found, home=home)


async def run(sandbox: Sandbox, root: Path, command: str) -> str:
    state = sandbox.home / ".state"
    shadow = await Shadow.open(Folders.of(root), state, sandbox=sandbox)
    try:
        await shadow.sync(World(Folders.of(root)).snapshot())
        return (await shadow.shell.run(command, timeout=60)).output
    finally:
        await shadow.close()


@pytest.mark.parametrize("where", ["home/project", "home/a/b/project", "elsewhere/project"])
async def test_the_tree_stands_at_its_own_place(sandbox: Sandbox, tmp_path: Path, where: str) -> None:
    root = tmp_path.resolve() / where
    root.mkdir(parents=True)
    (root / "a.txt").write_text("a\n")
    assert await run(sandbox, root, f"pwd; cat {root}/a.txt") == f"{root}\na\n"
    await run(sandbox, root, f"echo b > {root}/a.txt; touch {root}/new")
    assert {path.name: path.read_text() for path in root.iterdir()} == {"a.txt": "a\n"}


async def test_what_is_hidden(sandbox: Sandbox, tmp_path: Path) -> None:
    root = sandbox.home / "project"
    root.mkdir()
    (sandbox.home / ".state/models").mkdir(parents=True)
    beside = tmp_path / "beside.txt"
    beside.write_text("beside")
    home = sandbox.home
    said = await run(
        sandbox,
        root,
        f"cat {home}/.ssh/id_rsa; cat {home}/.cargo/credentials.toml; cat {beside}; ls -A {home}/.state;"
        f"{home}/.cargo/bin/tool; touch {home}/.cargo/bin/x; cat /etc/shadow; touch /usr/x; ls -A /tmp | head -3;"
        "ls /proc | grep -c '^[0-9]'",
    )
    assert "private" not in said
    assert "models" not in said
    assert "root:" not in said
    assert "\ntool\n" in f"\n{said}"
    assert int(said.splitlines()[-1]) < 10, "no other process is in sight"
    assert not (home / ".cargo/bin/x").exists()
    assert {path.name for path in home.iterdir()} == {".ssh", ".cargo", ".state", "project"}


async def test_there_is_no_network(sandbox: Sandbox) -> None:
    root = sandbox.home / "project"
    root.mkdir()
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        code = f"import socket; print(socket.socket().connect_ex(('127.0.0.1', {port})) != 0)"
        assert await run(sandbox, root, f'python3 -c "{code}"') == "True\n"
    finally:
        server.close()
        await server.wait_closed()


async def test_a_virtual_environment_means_the_staged_tree(sandbox: Sandbox) -> None:
    root = sandbox.home / "project"
    (root / "src/pkg").mkdir(parents=True)
    (root / "src/pkg/__init__.py").write_text("WHERE = __file__\n")
    venv = root / ".venv"
    making = await asyncio.create_subprocess_exec("python3", "-m", "venv", "--without-pip", str(venv))
    assert await making.wait() == 0
    [site] = venv.glob("lib/python*/site-packages")
    (site / "editable.pth").write_text(f"{root}/src\n")
    said = await run(sandbox, root, "python -c 'import pkg, sys; print(pkg.WHERE); print(sys.prefix)'; touch .venv/x")
    assert said.splitlines()[:2] == [f"{root}/src/pkg/__init__.py", str(venv)]
    assert not (venv / "x").exists()
    plain = await run(replace(sandbox, program=None), root, "python -c 'import pkg; print(open(pkg.WHERE).name)'")
    assert plain == f"{root}/src/pkg/__init__.py\n", "its name is the workspace's, its place the shadow"


async def test_the_home_is_writable_and_thrown_away(sandbox: Sandbox) -> None:
    root = sandbox.home / "project"
    root.mkdir()
    environment = "HOME=$(dirname $PWD); mkdir -p $HOME/.cache/x && touch $HOME/.cache/x/y && echo made"
    assert await run(sandbox, root, environment) == "made\n"
    assert not (sandbox.home / ".cache").exists()


async def test_no_file_over_the_limit(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    root = sandbox.home / "project"
    root.mkdir()
    assert await run(sandbox, root, "ulimit -f; ulimit -c") == f"{FILE_MAX_BLOCKS}\n0\n"
