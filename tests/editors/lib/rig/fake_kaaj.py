"""A program that stands in for `kaaj serve` and is odd in the way that $FAKE_KAAJ names; see `Oddity`.

Nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

Oddity: TypeAlias = Literal[
    "old",
    "new",
    "no-version",
    "exits",
    "silent",
    "garbage",
    "dies-at-initialize",
    "dies-in-its-answer",
    "dies-after-initialize",
    "no-snapshot",
]
"""`old`, `new`: speaks another version of the protocol. `no-version`: some other language server. `exits`: at once,
with code 3 and a sentence on stderr. `silent`: never answers. `garbage`: writes what is no message.
`dies-at-initialize`: when it is asked to begin. `dies-in-its-answer`: in the middle of the first one.
`dies-after-initialize`: each time, as soon as it is asked for something. `no-snapshot`: refuses every command."""

VERSIONS: Final = {"old": 0, "new": 99}
SENTENCE: Final = "fake kaaj: the disk is made of cheese"


def put_in(folder: Path, oddity: Oddity) -> Path:
    """An executable file `kaaj` in the folder, that runs this program as `oddity`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "kaaj"
    lines = ["#!/bin/sh", f"FAKE_KAAJ={oddity} exec '{sys.executable}' '{Path(__file__).absolute()}' \"$@\"", ""]
    program.write_text("\n".join(lines))
    program.chmod(0o755)
    return program


def send(**message: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.buffer.flush()


def receive() -> dict[str, Any]:
    length = 0
    while line := sys.stdin.buffer.readline():
        name, _, value = line.strip().partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
        if not name:
            message: dict[str, Any] = json.loads(sys.stdin.buffer.read(length))
            return message
    sys.exit(0)


def serve(oddity: str) -> None:
    while True:
        message = receive()
        match message.get("method"):
            case "initialize" if oddity == "dies-at-initialize":
                sys.stderr.write(SENTENCE + "\n")
                sys.exit(3)
            case "initialize" if oddity == "dies-in-its-answer":
                sys.stdout.write('Content-Length: 500\r\n\r\n{"jsonrpc": "2.0", "resul')
                sys.stdout.flush()
                os._exit(3)
            case "initialize":
                experimental = {"kaaj": {"version": VERSIONS.get(oddity, 1)}}
                capabilities: dict[str, Any] = {"textDocumentSync": 2, "executeCommandProvider": {"commands": []}}
                if oddity != "no-version":
                    capabilities["experimental"] = experimental
                send(id=message["id"], result={"capabilities": capabilities})
            case "exit":
                sys.exit(0)
            case "initialized":
                pass
            case None:
                pass
            case _:
                if oddity == "dies-after-initialize":
                    os._exit(3)
                if "id" in message and oddity == "no-snapshot":
                    send(id=message["id"], error={"code": -32803, "message": SENTENCE})
                elif "id" in message:
                    send(id=message["id"], result=None)


def main() -> None:
    oddity = os.environ["FAKE_KAAJ"]
    if "--version" in sys.argv:
        sys.stdout.write("kaaj 0.0.0\n")
    elif oddity == "exits":
        sys.stderr.write(SENTENCE + "\n")
        sys.exit(3)
    elif oddity == "silent":
        time.sleep(3600)
    elif oddity == "garbage":
        sys.stdout.write("Welcome to kaaj!\n" * 3)
        sys.stdout.flush()
        time.sleep(3600)
    else:
        serve(oddity)


if __name__ == "__main__":
    main()
