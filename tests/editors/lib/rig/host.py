"""Tests that run inside of VS Code's extension host, as `@vscode/test-electron` would run them in a desktop."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from rig.studio import Studio
from rig.workbench import Exposed

SECONDS = 120.0


async def run_in_host(studio: Studio, suite: Path) -> dict[str, str | None]:
    """Run `suite`/index.js in a window on the test's folder: the tests' names, each with its error or None."""
    results = studio.home / "host-results.json"
    studio.env["KAAJ_HOST_RESULTS"] = str(results)
    studio.flags = (*studio.flags, "--vscode-option", "enable-smoke-test-driver")
    server = await studio.server()
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def leave(code: int, *_: object) -> None:
        if not ended.done():
            ended.set_result(code)

    def hear(*_: object) -> None:
        """The log of the run; the results are read from the file."""

    where = f"vscode-remote://{server.address}{suite}"
    payload = {"extensionDevelopmentPath": where, "extensionTestsPath": f"{where}/index.js"}
    exposed: Exposed = {"codeAutomationLog": hear, "codeAutomationExit": leave}
    await studio.window(ready=False, payload=payload, exposed=exposed)
    try:
        await asyncio.wait_for(ended, SECONDS)
    except TimeoutError:
        so_far = results.read_text() if results.exists() else "nothing"
        raise AssertionError(f"the tests did not end; so far: {so_far}") from None
    ran: list[dict[str, str]] = json.loads(results.read_text()) if results.exists() else []
    return {one["name"]: one.get("error") for one in ran}
