"""A shell command in a folder of the program's own making (a demo, an evaluation), run to its end or its limit."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


async def run_shell(command: str, folder: Path, environ: Mapping[str, str], limit: float) -> tuple[int | None, str]:
    """Exit code (None where it was ended after `limit` seconds) and output. Cancelling ends it too."""
    process = await asyncio.create_subprocess_shell(
        command,
        cwd=folder,
        env={**environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit):
            output, _ = await process.communicate()
    except TimeoutError:
        return None, ""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return process.returncode, output.decode("utf-8", "replace")
