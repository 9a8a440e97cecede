"""Where a peer runs: it executes whatever the model says, so all but its own run is read-only or out of sight."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peers.installs import home


def boxed(argv: Sequence[str], folder: Path, hidden: Sequence[Path], *, within: Path) -> list[str]:
    """`argv` in bubblewrap: `folder` can be written, the `hidden` folders are empty, and what it leaves running ends.

    The network stays as it is: the endpoint is on it. Raises FileNotFoundError where bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise FileNotFoundError("The peers run commands unasked, and only inside bubblewrap here: install it.")
    box = [program, "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--ro-bind", "/", "/"]
    box += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108 - hidden, not written to
    private = [Path.home() / name for name in (".ssh", ".gnupg", ".config", ".aws", ".docker", ".local/share")]
    for path in (*hidden, *private):
        if path.is_dir():
            box += ["--tmpfs", str(path)]
    installed = home()
    if installed.is_dir():
        box += ["--ro-bind", str(installed), str(installed)]
    box += ["--bind", str(folder), str(folder), "--chdir", str(within)]
    return [*box, "--", *argv]
