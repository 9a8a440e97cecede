"""The one endpoint of all agents: a server of the embedded model with a window that the largest prompt fits in."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.bench.peers.proxy import Proxy

from kaaj_agent.embedded import machine
from kaaj_agent.embedded.home import Address, Home, try_lock
from kaaj_agent.embedded.lease import acquire
from kaaj_agent.embedded.models import installed, model_folder, model_named

WINDOW: Final = 32_768
"""Tokens. Qwen Code's first request has 17,115, and Kaaj's own choice on a machine with 8 GiB to spare is 16,384."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Counted doors to a model. `state` is a state folder for Kaajs that shall come through the same doors."""

    proxy: Proxy
    base_url: str
    key: str = field(repr=False)
    model: str
    window: int
    state: Path
    remote: bool = False


@asynccontextmanager
async def embedded(name: str, window: int = WINDOW, threads: int = 0) -> AsyncGenerator[Endpoint]:
    """A server of its own for this bench; `threads` of 0 are the machine's cores.

    Raises KaajError (no such model, it does not start) and FileNotFoundError (not on this machine).
    """
    count = threads or max(1, machine.physical_cores())
    model = model_named(name)
    place = model_folder(os.environ)
    path = installed(model, place)
    if path is None:
        raise FileNotFoundError(f"{name} is not on this machine: kaaj model pull {name}")
    with tempfile.TemporaryDirectory(prefix="kaaj-peers-state-") as folder:
        far, near = Path(folder, "far"), Path(folder, "near")
        command = [
            sys.executable, "-P", "-m", "kaaj_agent.embedded.serve", "--model", str(path), "--alias", name,
            "--home", str(Home.of(far, name).folder), "--context", str(window), "--threads", str(count),
        ]  # fmt: skip
        async with await acquire(model, state=far, command=command) as lease:
            proxy = Proxy(secrets.token_urlsafe(24), lease.api_key)
            url = await proxy.open(lease.native_url)
            scan = await proxy.open(lease.scan_url) if lease.scan_url else ""
            # Kaaj looks for the embedded server where others of its kind meet it, and finds the doors.
            home = Home.of(near, name)
            home.prepare()
            alive = home.alive_lock()
            if not try_lock(alive):
                raise RuntimeError(f"{home.folder} is in use")
            home.publish(Address(os.getpid(), url, proxy.key, scan, lease.context))
            try:
                yield Endpoint(proxy, f"{url}/v1", proxy.key, name, lease.context, near)
            finally:
                alive.release()
                await proxy.close()


@asynccontextmanager
async def remote(base_url: str, name: str, window: int = WINDOW) -> AsyncGenerator[Endpoint]:
    """An endpoint that runs already, over plain HTTP; its key is `$KAAJ_API_KEY`."""
    address = urlsplit(base_url)
    if address.scheme != "http":
        raise ValueError("The counting door speaks plain HTTP: put a forwarder on 127.0.0.1 before it.")
    proxy = Proxy(secrets.token_urlsafe(24), os.environ.get("KAAJ_API_KEY", "none"), ask_usage=True)
    url = await proxy.open(f"http://{address.netloc}")
    with tempfile.TemporaryDirectory(prefix="kaaj-peers-state-") as state:
        try:
            yield Endpoint(proxy, url + address.path.rstrip("/"), proxy.key, name, window, Path(state), remote=True)
        finally:
            await proxy.close()
