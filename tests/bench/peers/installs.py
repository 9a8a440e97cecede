"""Where the peers stand on this machine: each in a place of its own, outside of the repository, in one version."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import platformdirs

FOLDER_VARIABLE: Final = "KAAJ_PEERS_DIR"


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer as its publisher gives it out. `program` is relative to its place."""

    name: str
    kind: Literal["pip", "npm"]
    package: str
    version: str
    program: str

    def place(self) -> Path:
        return home() / f"{self.name}-{self.version}"

    def executable(self) -> Path:
        return self.place() / self.program


PEERS: Final = {
    peer.name: peer
    for peer in (
        Peer("aider", "pip", "aider-chat", "0.86.2", "bin/aider"),
        Peer("qwen-code", "npm", "@qwen-code/qwen-code", "0.24.4", "node_modules/.bin/qwen"),
        Peer("mini-swe-agent", "pip", "mini-swe-agent", "2.4.6", "bin/mini"),
    )
}


def home() -> Path:
    """The folder with all of them: `$KAAJ_PEERS_DIR`, else in the user's cache."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else Path(platformdirs.user_cache_dir("kaaj-peers"))


def install(peer: Peer) -> None:
    """Put it there, unless it is. Raises CalledProcessError."""
    place = peer.place()
    if peer.executable().exists():
        print(f"{peer.name} {peer.version} is in {place}")
        return
    place.mkdir(parents=True, exist_ok=True)
    wanted = f"{peer.package}{'==' if peer.kind == 'pip' else '@'}{peer.version}"
    print(f"{wanted} goes to {place} ...", flush=True)
    if peer.kind == "pip":
        venv.create(place, with_pip=True)
        command = [str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", wanted]
    else:
        command = ["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund", "--silent", wanted]
    subprocess.run(command, check=True, stdout=sys.stderr)
