"""VS Code's workbench and extension host, as code-server runs them for a browser, in one process group."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import psutil  # type: ignore[import-untyped]  # it ships no types

SETTINGS: Final[Mapping[str, Any]] = {
    "telemetry.telemetryLevel": "off",
    "chat.disableAIFeatures": True,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "extensions.autoCheckUpdates": False,
    "git.enabled": False,
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "files.simpleDialog.enable": True,
    "editor.accessibilitySupport": "off",
    "editor.minimap.enabled": False,
    "window.commandCenter": False,
    "workbench.reduceMotion": "on",
    "security.workspace.trust.enabled": False,
}
FLAGS: Final = (
    "--auth",
    "none",
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-getting-started-override",
    "--disable-proxy",
    "--reconnection-grace-time",
    "10",
)
START_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Program:
    """What there is to start: Node, code-server's entry, and the folder into which the extension was installed."""

    node: Path
    entry: Path
    extensions: Path

    def install_extension(self, vsix: Path) -> None:
        """Put the .vsix where `extensions` says, once for all servers of a run."""
        config = self.extensions.parent / "config.yaml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text("auth: none\n")
        folders = ["--user-data-dir", str(self.extensions.parent / "data"), "--extensions-dir", str(self.extensions)]
        done = subprocess.run(
            [self.node, self.entry, "--config", str(config), *folders, "--install-extension", str(vsix), "--force"],
            capture_output=True,
            text=True,
            check=False,
            env=environment(self.node, self.extensions.parent, {}),
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"The extension was not installed: {done.stdout}{done.stderr}")


def environment(node: Path, home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """A clean environment: nothing of the settings or keys of whoever runs the tests."""
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    gallery = json.dumps({"serviceUrl": "", "itemUrl": "", "resourceUrlTemplate": ""})
    path = f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**kept, "PATH": path, "HOME": str(home), "EXTENSIONS_GALLERY": gallery, **more}


@dataclass(slots=True)
class CodeServer:
    """One running code-server with folders of its own below `home`. `async with` starts and ends it.

    `settings` are the user's, over SETTINGS. `flags` come after FLAGS. `env` is what extensions and the programs that
    they start see besides PATH and HOME.
    """

    program: Program
    home: Path
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    flags: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self.write_settings(self.settings)
        shutil.copytree(self.program.extensions, self.home / "extensions")
        (self.home / "config.yaml").write_text("auth: none\n")
        self.port = free_port()
        command = [
            *(str(self.program.node), str(self.program.entry), "--config", str(self.home / "config.yaml")),
            *("--user-data-dir", str(self.home / "data"), "--extensions-dir", str(self.home / "extensions")),
            *("--bind-addr", f"127.0.0.1:{self.port}", *FLAGS, *self.flags),
        ]
        with (self.home / "code-server.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - a fork; what is waited for is its HTTP answer
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(self.program.node, self.home, self.env),
                start_new_session=True,  # extension hosts outlive their parent: the group is ended
            )
        async with asyncio.timeout(START_SECONDS):
            while not await answers(self.port):
                if self._process.poll() is not None:
                    raise RuntimeError(f"code-server ended: {(self.home / 'code-server.log').read_text()}")
                await asyncio.sleep(0.05)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process is None:
            return
        inside = self.processes()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        # All of them have a moment to end well.
        await asyncio.to_thread(psutil.wait_procs, inside, 3)
        for process in inside:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        await asyncio.to_thread(self._process.wait)

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """The user's settings, as a whole. Those of scope `machine` count in the machine's file alone."""
        for kind in ("User", "Machine"):
            place = self.home / "data" / kind / "settings.json"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps({**(SETTINGS if kind == "User" else {}), **settings}, indent=1))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, folder: Path | None = None, workspace: Path | None = None, **payload: str) -> str:
        """The address of a window on a folder, on a `.code-workspace` file, or on nothing."""
        what = (
            f"folder={quote(str(folder))}"
            if folder
            else f"workspace={quote(str(workspace))}"
            if workspace
            else "ew=true"
        )
        given = quote(json.dumps(list(payload.items()), separators=(",", ":")))
        return f"http://{self.address}/?{what}" + (f"&payload={given}" if payload else "")

    def processes(self) -> list[psutil.Process]:
        """All that runs below this code-server, itself included."""
        if self._process is None:
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        return []

    def language_servers(self) -> list[psutil.Process]:
        """The running `kaaj serve` processes of this code-server's windows."""
        return [process for process in self.processes() if is_language_server(process)]

    def logs(self) -> dict[str, str]:
        """What the windows' logs say, by path below the log folder; the newest writes included."""
        folder = self.home / "data" / "logs"
        found = {str(path.relative_to(folder)): path.read_text(errors="replace") for path in folder.rglob("*.log")}
        return {**found, "code-server.log": (self.home / "code-server.log").read_text(errors="replace")}

    def extension_log(self) -> str:
        """What the extension said in its output channels, over all windows: the server's stderr is a part of it."""
        return "".join(text for path, text in sorted(self.logs().items()) if "kaaj" in path.lower())


def is_language_server(process: psutil.Process) -> bool:
    try:
        line = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return "serve" in line and any(Path(part).name == "kaaj" for part in line)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def answers(port: int) -> bool:
    """Does somebody speak HTTP there?"""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
        return (await reader.readline()).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
    finally:
        writer.close()
