"""Where the users of one embedded server and the server itself meet: a folder with locks and an address.

`start.lock` is held by whoever starts a server, takes a lease or ends the server, so these never overlap.
`alive.lock` is held by the server as long as it lives. `leases/ID` is held by one user each: a lock falls with its
process, however that ends, so a lease whose lock can be taken is a dead one. `server.json` is the address.
All methods block for microseconds; none waits for a lock.
"""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

_LAYOUT: Final = "embedded-1"
"""Part of the folder's name: Kaajs that do not understand each other's state do not meet."""


@dataclass(frozen=True, slots=True)
class Address:
    """A server that runs. `url` is its root, `scan_url` its token-level root (empty: none), `context` in tokens."""

    pid: int
    url: str
    token: str
    scan_url: str
    context: int


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one model's server."""

    folder: Path

    @classmethod
    def of(cls, state: Path, model: str) -> Home:
        return cls(state / _LAYOUT / model)

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def _address(self) -> Path:
        return self.folder / "server.json"

    @property
    def _leases(self) -> Path:
        return self.folder / "leases"

    def prepare(self) -> None:
        self._leases.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix":
            self.folder.chmod(0o700)

    def start_lock(self) -> FileLock:
        return FileLock(self.folder / "start.lock")

    def alive_lock(self) -> FileLock:
        return FileLock(self.folder / "alive.lock")

    def is_alive(self) -> bool:
        """Whether a server holds its lock, whatever its state."""
        lock = self.alive_lock()
        if not try_lock(lock):
            return True
        lock.release()
        return False

    def address(self) -> Address | None:
        """What the server last wrote; None where there is nothing to be read."""
        try:
            return Address(**json.loads(self._address.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def publish(self, address: Address) -> None:
        """Write the address, readable by this user alone, at once or not at all."""
        fresh = self.folder / f"server.json.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(asdict(address), file)
        fresh.replace(self._address)

    def withdraw(self) -> None:
        self._address.unlink(missing_ok=True)

    def take_lease(self) -> FileLock:
        """A lease of this process, held until it is dropped. Only with the start lock held."""
        lock = FileLock(self._leases / uuid.uuid4().hex)
        lock.acquire(timeout=0)
        return lock

    @staticmethod
    def drop_lease(lease: FileLock) -> None:
        lease.release()
        with contextlib.suppress(OSError):
            Path(lease.lock_file).unlink(missing_ok=True)

    def live_leases(self) -> int:
        """How many users hold a lease; the files of dead ones are removed. Only with the start lock held."""
        alive = 0
        for path in list(self._leases.iterdir()):
            lock = FileLock(path)
            if try_lock(lock):
                self.drop_lease(lock)
            else:
                alive += 1
        return alive


def try_lock(lock: FileLock) -> bool:
    """Take the lock if nobody holds it."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
