"""How a command is run: inside bubblewrap where it works here, else plainly.

Inside, a command has no network, no home of the user's, no other processes in sight, and the staged tree stands at
the workspace's own path, so that absolute paths (the first line of a venv's scripts, editable installs) mean the
staged tree. All else of the machine is read-only. It gets the network only where the person has granted it.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kaaj_agent.bubblewrap import ISOLATION, try_bubblewrap
from kaaj_agent.command_caps import Caps
from kaaj_agent.regular import first_text

_HIDDEN: Final = (
    "/tmp", "/var/tmp", "/home", "/root", "/run", "/media", "/mnt",  # noqa: S108 - covered, not written to
    "/etc/ssh", "/etc/ssl/private", "/etc/kubernetes", "/etc/wireguard",
)  # fmt: skip
"""Covered by empty folders: people's files, a machine's keys, the sockets of desktop, container and login services."""

_SCRATCH: Final = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - as above
"""Covered by empty folders that can be written to."""

_RESOLVER: Final = Path("/etc/resolv.conf")
"""Often a link to where it would be hidden."""

_HIDDEN_FILES: Final = ("/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/krb5.keytab")
_TOOLCHAINS: Final = (
    ".pyenv", ".rbenv", ".nodenv", ".asdf", ".nvm", ".volta", ".fnm", ".sdkman", ".bun", ".deno", ".rustup", ".ghcup",
    ".cargo/bin", ".cargo/env", ".cargo/registry", ".cargo/git", ".elan", ".juliaup", ".dotnet", ".gem", ".opam",
    ".local/bin", ".local/lib", ".local/share/uv", ".local/share/mise", ".local/share/rtx", ".local/share/pnpm",
    ".local/share/fnm", ".local/share/pipx", ".local/share/virtualenvs", ".local/state/nix", ".nix-profile",
    "go/bin", "go/pkg", ".m2/repository", "miniconda3", "anaconda3", "miniforge3", "mambaforge", ".poetry/bin",
    ".cache/node/corepack", ".cache/ms-playwright", ".cache/puppeteer", ".cache/Cypress", ".cache/pre-commit",
)  # fmt: skip
"""Folders of a home that hold tools and downloaded libraries, and no credentials."""

_KEPT: Final = (
    "PATH", "LANG", "LANGUAGE", "TZ", "USER", "LOGNAME", "HOME", "PYENV_ROOT", "RUSTUP_HOME", "CARGO_HOME", "GOROOT",
    "GOPATH", "NVM_DIR", "JAVA_HOME", "VOLTA_HOME", "SDKMAN_DIR", "ASDF_DIR", "BUN_INSTALL", "PNPM_HOME", "NIX_PATH",
    "NIX_SSL_CERT_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip
_SECRET: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|^KAAJ_|^OPENAI_", re.IGNORECASE)

_CACHES: Final = (".cache", ".vite", ".vite-temp")
"""Folders in node_modules that bundlers write to: empty and writable inside."""

Kind: TypeAlias = Literal["hide", "scratch", "read", "write", "mask"]


def clean_environment(source: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a command may know of the environment: where tools are and which language is spoken, never a secret."""
    kept = {name: source[name] for name in _KEPT if name in source}
    kept |= {name: value for name, value in source.items() if name.startswith("LC_")}
    kept.setdefault("PATH", os.defpath)
    kept.setdefault("LANG", "C.UTF-8")
    kept |= {
        "TERM": "dumb",
        "CI": "1",
        "NO_COLOR": "1",
        "PAGER": "cat",
        "GIT_PAGER": "cat",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "npm_config_update_notifier": "false",
        **(extra or {}),
    }
    return {name: value for name, value in kept.items() if not _SECRET.search(name)}


@dataclass(frozen=True, slots=True)
class Mount:
    """One thing at a place of the sandbox. `source` is a path outside.

    `hide` covers it with an empty folder, `scratch` with one that holds `size` bytes of what commands write.
    """

    kind: Kind
    place: Path
    source: Path
    size: int = 0

    def argv(self) -> list[str]:
        match self.kind:
            case "hide":
                return ["--tmpfs", str(self.place)]
            case "scratch":
                return ["--size", str(self.size), "--tmpfs", str(self.place)]
            case "mask":
                return ["--ro-bind", os.devnull, str(self.place)]
            case "read":
                return ["--ro-bind", str(self.source), str(self.place)]
            case "write":
                return ["--bind", str(self.source), str(self.place)]


@dataclass(frozen=True)
class Sandbox:
    """How commands are started on this machine.

    `program` is bubblewrap's path, or None where commands run plainly; `reason` then says why, for people.
    `hidden` are folders that no command may see (Kaaj's own state, the models). `flags` are bubblewrap's for every
    command, `filter` is for its `--seccomp`, which whoever starts it hands over with a descriptor.
    """

    program: Path | None
    reason: str = ""
    hidden: tuple[Path, ...] = ()
    home: Path = Path("/nonexistent")
    flags: tuple[str, ...] = ISOLATION
    filter: bytes = field(default=b"", repr=False)
    caps: Caps = field(default_factory=Caps.of_this_machine)

    @classmethod
    async def find(cls, hidden: Iterable[Path] = (), *, wanted: bool = True) -> Sandbox:
        """Try bubblewrap once per process (10 ms, in a thread) and say what was found."""
        covered = tuple(path.resolve() for path in hidden)
        home = _home()
        if not wanted:
            return cls(None, "The sandbox is switched off in your settings.", covered, home)
        found = await asyncio.to_thread(try_bubblewrap)
        program = Path(found.program) if found.program else None
        return cls(program, found.reason, covered, home, found.flags, found.filter)

    @property
    def available(self) -> bool:
        return self.program is not None

    @cached_property
    def _tools(self) -> tuple[Path, ...]:
        return toolchains(self.home, os.environ.get("PATH", ""), (*self.hidden, self.home))

    def argv(
        self,
        command: str,
        shadow: Path,
        workspace: Path,
        readonly: Sequence[Path] = (),
        *,
        more: Sequence[tuple[Path, Path]] = (),
        masks: Sequence[tuple[Path, Path]] = (),
        home: Path | None = None,
        start_in: Path | None = None,
        network: bool = False,
    ) -> list[str]:
        """The arguments that run `command` by `sh -c` with `shadow` standing at `workspace`.

        `readonly` are real paths inside the workspace that are shown as they are; `more` are further pairs of
        shadow and workspace; `masks` are pairs of a file and the place where it stands instead; `home` is a folder
        that plays the user's home; the command starts in `start_in`, else in the workspace; with `network` it has the
        machine's. Without bubblewrap it is the plain command, to be started in `shadow`.
        """
        caps = self.caps.script(sandboxed=self.program is not None)
        start = ["/bin/sh", "-c", f'{caps}; exec /bin/sh -c "$1"', "sh", command]
        if self.program is None:
            return start
        trees = [(shadow, workspace), *more]
        scratch = self.caps.scratch
        mounts = [Mount("hide", Path(place), Path(place)) for place in _HIDDEN if Path(place).is_dir()]
        mounts += [Mount("scratch", place, place, 2 * scratch) for place in _SCRATCH if place.is_dir()]
        mounts += [Mount("hide", place, place) for place in self.hidden if place.is_dir()]
        mounts += [Mount("mask", Path(p), Path(p)) for p in _HIDDEN_FILES if os.access(p, os.R_OK)]
        if self.home.is_dir():
            mounts.append(Mount("write", self.home, home) if home else Mount("hide", self.home, self.home))
        resolver = (_RESOLVER.resolve(),) if network else ()
        for tool in (*self._tools, *_bases(readonly, (*self.hidden, self.home)), *resolver):
            if not any(tool.is_relative_to(place) for _, place in trees) and _is_covered(tool, mounts):
                mounts.append(Mount("read", tool, tool))
        mounts += [Mount("write", place, source) for source, place in trees]
        shown = [path for path in readonly if path.exists()]  # it may have gone since it was noted
        mounts += [Mount("read", path, path) for path in shown]
        mounts += [
            Mount("scratch", path / name, path / name, scratch)
            for path in shown
            for name in _CACHES
            if (path / name).is_dir()
        ]
        mounts += [Mount("read", place, source) for source, place in masks]
        # A later mount covers an earlier one, so that what lies deeper has to come later. A write at the place of a
        # hide has to win, which the stable sort gives: hides come first in the list.
        ordered = sorted(_last_of_each(mounts), key=lambda mount: len(mount.place.parts))
        flags = [flag for mount in ordered for flag in mount.argv()]
        # What only hides is closed once the places of deeper mounts have been made in it.
        sealed = [flag for mount in ordered if mount.kind == "hide" for flag in ("--remount-ro", str(mount.place))]
        shared = ("--size", str(scratch), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")  # noqa: S108 - its own
        return [
            str(self.program), *self.flags, *(["--share-net"] if network else []), "--dev", "/dev", *shared,
            "--proc", "/proc", *flags, *sealed, "--chdir", str(start_in or workspace), "--", *start,
        ]  # fmt: skip


def _is_prefix(folder: Path, home: Path) -> bool:
    if folder in (home, home / ".local", home / ".cargo"):
        return False
    return any((folder / name).exists() for name in ("lib", "lib64", "libexec", "pyvenv.cfg"))


def _home() -> Path:
    try:
        return Path.home().resolve()
    except RuntimeError:  # a user without an entry and without HOME
        return Path("/nonexistent")


def _last_of_each(mounts: Iterable[Mount]) -> list[Mount]:
    """Only the last mount of each place: an earlier one would be covered whole."""
    places: dict[Path, Mount] = {}
    for mount in mounts:
        places.pop(mount.place, None)
        places[mount.place] = mount
    return list(places.values())


def _is_covered(path: Path, mounts: Iterable[Mount]) -> bool:
    return any(path.is_relative_to(mount.place) for mount in mounts if mount.kind in ("hide", "scratch", "write"))


def _bases(readonly: Iterable[Path], private: Sequence[Path]) -> list[Path]:
    """Where the interpreters of virtual environments really live: `home = …/bin` in pyvenv.cfg.

    A repository can bring such a file along, so that what it names counts only where an interpreter is installed there,
    and where it neither holds nor is a folder of `private`.
    """
    found: list[Path] = []
    for folder in readonly:
        try:
            text = first_text(folder / "pyvenv.cfg")
        except OSError:
            continue
        match = re.search(r"(?m)^home\s*=\s*(.+?)\s*$", text)
        if match:
            binaries = Path(match[1])
            found += [binaries.parent, binaries.resolve().parent]
    return [path for path in found if _is_base(path, private)]


def _is_base(path: Path, private: Sequence[Path]) -> bool:
    real = path.resolve()
    if len(real.parts) < 2 or any(one.is_relative_to(real) for one in private):
        return False
    runs = any(os.access(real / "bin" / name, os.X_OK) for name in ("python3", "python"))
    return runs and any(any(real.glob(f"{name}/python3*")) for name in ("lib", "lib64"))


def toolchains(home: Path, search_path: str, private: Sequence[Path]) -> tuple[Path, ...]:
    """Existing folders that hold tools: the known ones of a home, those of PATH, and this interpreter's own.

    None of them holds, or is, a folder of `private`.
    """
    asked = [home / name for name in _TOOLCHAINS]
    for name in search_path.split(os.pathsep):
        if not name.startswith("/"):
            continue
        folder = Path(name)
        asked.append(folder)
        # A prefix such as ~/opt/node keeps its libraries beside its bin; ~/bin and ~/.local/bin stand alone.
        if folder.name in ("bin", "shims", "condabin") and _is_prefix(folder.parent, home):
            asked.append(folder.parent)
    asked += [Path(sys.prefix), Path(sys.base_prefix), Path(sys.base_prefix).resolve()]
    kept: list[Path] = []
    for path in asked:
        if len(path.parts) < 3 or any(secret.is_relative_to(path) for secret in private) or not path.exists():
            continue
        if not any(path.is_relative_to(other) for other in kept):
            kept = [other for other in kept if not other.is_relative_to(path)]
            kept.append(path)
    return tuple(kept)
