"""The child process that serves one model: `python -m kaaj_agent.embedded.serve`.

It listens on loopback alone, wants its token, and ends by itself some seconds after its last user has gone.
Only what this process loads imports xllamacpp: this module and `lowlevel`.
"""

from __future__ import annotations

import argparse
import importlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from kaaj_agent.embedded import scan_service
from kaaj_agent.embedded.home import Address, Home, try_lock

LINGER_SECONDS: Final = 8.0
"""How long a server stays without a user: two commands in a row shall find it warm."""

_POLL_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Started:
    """What an engine says once it answers: the roots of its two services."""

    url: str
    scan_url: str = ""
    context: int = 0


def hold(
    home: Home,
    start: Callable[[str], Started],
    *,
    linger: float = LINGER_SECONDS,
    poll: float = _POLL_SECONDS,
) -> int:
    """Start the engine with a fresh token, publish its address, and stay while anyone holds a lease.

    Returns the exit code: 0 also where another server was quicker.
    """
    home.prepare()
    alive = home.alive_lock()
    if not try_lock(alive):
        return 0
    home.withdraw()
    token = secrets.token_urlsafe(32)
    started = start(token)
    home.publish(Address(os.getpid(), started.url, token, started.scan_url, started.context))
    lonely = time.monotonic()
    while True:
        time.sleep(poll)
        lock = home.start_lock()
        if not try_lock(lock):  # someone is just coming
            continue
        try:
            if home.live_leases():
                lonely = time.monotonic()
            elif time.monotonic() - lonely >= linger:
                home.withdraw()
                alive.release()
                return 0
        finally:
            lock.release()


def _engine(path: Path, alias: str, context: int, threads: int) -> Callable[[str], Started]:
    def start(token: str) -> Started:
        xllamacpp: Any = importlib.import_module("xllamacpp")  # untyped, and 100 MB: for this process alone

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.model_alias = {alias}
        params.hostnames = ["127.0.0.1"]
        params.port = 0
        params.api_keys = [token]
        params.n_ctx = context
        params.n_parallel = 1
        params.cache_ram_mib = 256  # earlier prompts kept aside; the library's own default is 8 GiB
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        # Drafts out of the prompt's own text: 1.4 times the speed where code is written anew.
        params.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
        params.endpoint_slots = False
        params.verbosity = 1
        server = xllamacpp.Server(params)
        _kept.append(server)
        return Started(str(server.listening_address), scan_service.start(path, token, threads), context)

    return start


_kept: list[object] = []
"""The engine lives as long as the process; nothing else refers to it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="kaaj_agent.embedded.serve", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the model's GGUF file")
    parser.add_argument("--alias", required=True, help="the name that requests give")
    parser.add_argument("--home", type=Path, required=True, help="the folder where users meet this server")
    parser.add_argument("--context", type=int, default=8192, help="tokens of context")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--linger", type=float, default=LINGER_SECONDS, help="seconds without a user")
    given = parser.parse_args(arguments)
    engine = _engine(given.model, given.alias, given.context, given.threads)
    return hold(Home(given.home), engine, linger=given.linger)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the engine's own threads may be in the midst of a reply to nobody
