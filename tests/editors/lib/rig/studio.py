"""A test's own editor: started with the first window; what is needed to understand a failure is kept."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, Error

from kaaj_agent.testing import ScriptedEndpoint
from rig.code_server import CodeServer, Program
from rig.workbench import SHOTS, WIDE, Exposed, Workbench

FAILED: Final = SHOTS / "failed"


@dataclass(slots=True)
class Studio:
    """Windows on demand. `kaaj` is the command to start as server, `endpoint` the model behind it.

    Each test has a code-server of its own (it starts in half a second), so that settings, secrets, sessions and logs
    are its own as well. `settings`, `flags` and `env` are taken when the first window is opened.
    """

    program: Program
    browser: Browser
    home: Path
    folder: Path
    endpoint: ScriptedEndpoint
    kaaj: Path
    journey: str
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    flags: Sequence[str] = ("--disable-workspace-trust",)
    env: dict[str, str] = field(default_factory=dict[str, str])
    windows: list[Workbench] = field(default_factory=list[Workbench])
    _server: CodeServer | None = None
    _contexts: list[BrowserContext] = field(default_factory=list[BrowserContext])
    _stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    def all_settings(self) -> dict[str, Any]:
        """What the user's settings.json says besides the editor's own."""
        return {
            "kaaj.path": str(self.kaaj),
            "kaaj.baseUrl": self.endpoint.base_url,
            "kaaj.model": "scripted",
            "kaaj.loop": "agentic",
            "kaaj.check": "none",
            **self.settings,
        }

    async def server(self) -> CodeServer:
        if self._server is None:
            env = {"KAAJ_STATE_DIR": str(self.home / "state"), "KAAJ_LOG": "info", **self.env}
            server = CodeServer(self.program, self.home / "code-server", self.all_settings(), self.flags, env)
            self._server = await self._stack.enter_async_context(server)
        return self._server

    async def window(
        self,
        folder: Path | None = None,
        *,
        workspace: Path | None = None,
        empty: bool = False,
        size: tuple[int, int] = WIDE,
        ready: bool = True,
        same_context: bool = False,
        options: Mapping[str, Any] | None = None,
        payload: Mapping[str, str] | None = None,
        exposed: Exposed | None = None,
    ) -> Workbench:
        """A window on `folder` (by default the test's own), on a `.code-workspace` file, or on no folder.

        `ready`: wait until Kaaj's server has answered. `same_context`: a second window of the same person (same
        secrets and layout) instead of a fresh browser. `options` go to the browser's context, `payload` to the
        workbench, and the page can call what is `exposed`.
        """
        server = await self.server()
        if not (same_context and self._contexts):
            width, height = size
            context = await self.browser.new_context(
                viewport={"width": width, "height": height},
                permissions=["clipboard-read", "clipboard-write"],
                **(options or {}),
            )
            self._contexts.append(context)
        page = await self._contexts[-1].new_page()
        what = None if empty or workspace else folder or self.folder
        url = server.url(what, workspace, **(payload or {}))
        window = await Workbench.open(page, server, url, self.journey, exposed)
        self.windows.append(window)
        if ready:
            await window.kaaj_is_ready()
        return window

    def server_log(self) -> str:
        """What Kaaj's servers of this test wrote to their log."""
        return "".join(path.read_text(errors="replace") for path in sorted((self.home / "state").rglob("*.log")))

    async def keep_failure(self, name: str) -> Path:
        """Pictures of all windows and all logs, below build/screenshots/failed/."""
        place = FAILED / re.sub(r"[^\w.-]+", "-", name)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        for number, window in enumerate(self.windows):
            with contextlib.suppress(Error):
                await window.page.screenshot(path=place / f"window-{number}.png")
            (place / f"console-{number}.log").write_text("\n".join(window.console))
        logs = self._server.logs() if self._server else {}
        for path, text in {**logs, "kaaj-server.log": self.server_log()}.items():
            kept = place / "logs" / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(text)
        return place

    async def close(self) -> None:
        for context in self._contexts:
            with contextlib.suppress(Error):
                await context.close()
        await self._stack.aclose()
