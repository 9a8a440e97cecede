"""Does the installed wheel work? `smoke.py PATH/TO/kaaj`, run outside of the repository.

The command answers, its packages are whole, and the server speaks LSP over stdio. Nothing but the standard library.
"""  # noqa: INP001 - a script that stands alone

from __future__ import annotations

import importlib.metadata
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

COMMANDS = {f"kaaj.{name}" for name in ("start", "cancel", "accept", "reject", "undo", "todo", "snapshot", "fix")}
SECONDS = 60


def send(pipe: IO[bytes], **message: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    pipe.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    pipe.flush()


def answer(pipe: IO[bytes], request: int) -> dict[str, Any]:
    """The result of a request; what else the server sends is skipped."""
    while True:
        length = 0
        while (line := pipe.readline().strip()) or not length:
            if not line:
                raise SystemExit("the server closed its output")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message: dict[str, Any] = json.loads(pipe.read(length))
        if message.get("id") == request and "method" not in message:
            if "error" in message:
                raise SystemExit(f"the server answered with an error: {message['error']}")
            return message.get("result") or {}


def check_files() -> None:
    files = [str(path) for path in importlib.metadata.files("kaaj") or ()]
    for wanted in ("kaaj_protocol/py.typed", "kaaj_agent/py.typed", "kaaj_server/py.typed"):
        if wanted not in files:
            raise SystemExit(f"the wheel lacks {wanted}")
    if not any(path.endswith("licenses/LICENSE") for path in files):
        raise SystemExit("the wheel lacks the licence")
    stray = [path for path in files if path.startswith(("tests/", "docs/", "client-vscode/"))]
    if stray:
        raise SystemExit(f"the wheel holds {stray}")


def check_server(kaaj: Path) -> None:
    with subprocess.Popen([kaaj, "serve", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            if server.stdin is None or server.stdout is None:
                raise SystemExit("no pipes")
            root = Path.cwd().as_uri()
            params = {"processId": None, "rootUri": root, "capabilities": {}, "clientInfo": {"name": "smoke"}}
            send(server.stdin, id=1, method="initialize", params=params)
            capabilities = answer(server.stdout, 1)["capabilities"]
            commands = set(capabilities["executeCommandProvider"]["commands"])
            if missing := COMMANDS - commands:
                raise SystemExit(f"the server does not offer {sorted(missing)}")
            send(server.stdin, method="initialized", params={})
            send(server.stdin, id=2, method="shutdown")
            answer(server.stdout, 2)
            send(server.stdin, method="exit")
            server.stdin.close()
            if code := server.wait(SECONDS):
                raise SystemExit(f"the server ended with {code}")
        finally:
            server.kill()


def main() -> None:
    signal.alarm(3 * SECONDS)  # a server that says nothing ends the run
    kaaj = Path(sys.argv[1]).absolute()
    for words in (["--version"], ["--help"], ["run", "--help"], ["serve", "--help"]):
        done = subprocess.run([kaaj, *words], capture_output=True, text=True, timeout=SECONDS, check=False)
        if done.returncode or not done.stdout.strip():
            raise SystemExit(f"kaaj {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    check_files()
    check_server(kaaj)
    sys.stdout.write("the wheel works\n")


if __name__ == "__main__":
    main()
