"""What is known of programs: which take rights, which start others, where they write, which want the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

RIGHTS: Final = frozenset((
    "sudo", "sudoedit", "su", "doas", "pkexec", "run0", "gosu", "su-exec", "newgrp", "sg", "runuser",
))  # fmt: skip
"""Programs that run others as another user."""

MACHINE: Final = frozenset((
    "mount", "umount", "swapon", "swapoff", "mkfs", "mkswap", "fdisk", "sfdisk", "parted", "wipefs", "losetup",
    "shutdown", "reboot", "poweroff", "halt", "insmod", "rmmod", "modprobe", "kexec", "chroot", "nsenter", "pivot_root",
    "setcap", "useradd", "userdel", "usermod", "groupadd", "passwd", "chpasswd", "visudo", "iptables", "ip6tables",
    "nft", "systemctl", "systemd-run", "launchctl", "crontab", "at", "batch",
))  # fmt: skip
"""Programs that change the machine, or leave something on it that runs later."""

SHELLS: Final = frozenset(("sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "rbash"))

LOADERS: Final = frozenset((
    "LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "ENV", "PATH", "IFS",
    "PYTHONPATH", "PYTHONSTARTUP", "PYTHONHOME", "NODE_OPTIONS", "PERL5OPT", "PERL5LIB", "RUBYOPT", "JAVA_TOOL_OPTIONS",
    "GIT_SSH", "GIT_SSH_COMMAND", "GIT_EXTERNAL_DIFF", "GIT_EXEC_PATH", "GIT_CONFIG_COUNT", "GIT_CONFIG_GLOBAL",
    "PAGER", "GIT_PAGER", "EDITOR", "VISUAL", "GIT_EDITOR", "SHELL", "MAKEFLAGS", "RUSTC_WRAPPER", "CC", "CXX",
    "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_SYSTEM", "GIT_ASKPASS", "SSH_ASKPASS", "GIT_PROXY_COMMAND", "GIT_TEMPLATE_DIR",
    "GIT_SEQUENCE_EDITOR", "MANPAGER", "LESSOPEN", "LESSCLOSE", "BROWSER", "MAKEFILES", "RUSTC", "RUSTFLAGS", "GOFLAGS",
    "NODE_PATH", "RUBYLIB", "PERL5DB", "PYTHONBREAKPOINT", "GCONV_PATH", "CDPATH", "PROMPT_COMMAND", "PS0", "PS1",
    "PS4", "HOME", "XDG_CONFIG_HOME",
))  # fmt: skip
"""Variables that make a program run something else beside or instead."""

PROMPTS: Final = frozenset(("PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS4"))
"""Variables that a shell runs, or in which it runs substitutions."""

CALLBACKS: Final = (
    ("mapfile", "-C"), ("readarray", "-C"), ("complete", "-C"), ("compgen", "-C"), ("compgen", "-W"),
)  # fmt: skip
"""Builtins of a shell with an option behind which a script stands."""

SUBSCRIPTS: Final = frozenset((
    "[", "test", "printf", "declare", "typeset", "local", "export", "readonly", "unset", "let", "read", "mapfile",
    "wait",
))  # fmt: skip
"""Builtins of bash that compute the index in an operand such as `a[…]`, and run the substitutions in it."""

TAKING_ASSIGNMENTS: Final = frozenset(("make", "gmake", "meson", "scons", "export"))
"""Programs to which a variable is given as an operand."""

SETTERS: Final = frozenset(("read", "mapfile", "readarray", "getopts", "let", "unset", "printf", "wait"))
"""Builtins that give variables values which are not seen."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A program that starts the one named in its operands. `taking` are options whose value is a word of its own.

    `skip` operands come before it. With `assigns`, words of the form NAME=VALUE come before it too.
    """

    taking: frozenset[str] = frozenset()
    skip: int = 0
    assigns: bool = False


def _taking(*options: str) -> frozenset[str]:
    return frozenset(options)


LOADER: Final = Wrapper(_taking("--library-path", "--preload", "--audit", "--argv0", "--inhibit-rpath"))
"""The system's loader, called as a program."""

WRAPPERS: Final[Mapping[str, Wrapper]] = {
    "env": Wrapper(_taking("-u", "--unset", "-C", "--chdir", "-a", "--argv0"), assigns=True),
    "nohup": Wrapper(),
    "setsid": Wrapper(),
    "nice": Wrapper(_taking("-n", "--adjustment")),
    "ionice": Wrapper(_taking("-c", "-n", "-p", "--class", "--classdata")),
    "chrt": Wrapper(skip=1),
    "taskset": Wrapper(skip=1),
    "timeout": Wrapper(_taking("-s", "--signal", "-k", "--kill-after"), skip=1),
    "time": Wrapper(_taking("-o", "--output", "-f", "--format")),
    "stdbuf": Wrapper(_taking("-i", "-o", "-e", "--input", "--output", "--error")),
    "unbuffer": Wrapper(),
    "xargs": Wrapper(_taking(
        "-I", "-n", "-L", "-P", "-d", "-a", "-s", "-E", "--max-args", "--max-procs", "--delimiter", "--arg-file",
        "--max-lines", "--max-chars", "--process-slot-var",
    )),
    "parallel": Wrapper(_taking("-j", "--jobs", "-a", "-I", "-N", "-n", "-L")),
    "command": Wrapper(),
    "builtin": Wrapper(),
    "exec": Wrapper(_taking("-a")),
    "coproc": Wrapper(),
    "{": Wrapper(),
    "!": Wrapper(),
    "then": Wrapper(),
    "do": Wrapper(),
    "else": Wrapper(),
    "busybox": Wrapper(),
    "toybox": Wrapper(),
    "watch": Wrapper(_taking("-n", "--interval", "-q")),
    "strace": Wrapper(_taking("-e", "-o", "-s", "-p", "-u", "-P", "-E")),
    "ltrace": Wrapper(_taking("-e", "-o", "-s", "-p", "-u")),
    "gdb": Wrapper(),
    "catchsegv": Wrapper(),
    "setarch": Wrapper(),
    "linux32": Wrapper(),
    "linux64": Wrapper(),
    "unshare": Wrapper(),
    "prlimit": Wrapper(),
    "setpriv": Wrapper(_taking("--reuid", "--regid", "--groups")),
    "fakeroot": Wrapper(),
    "flock": Wrapper(_taking("-w", "--timeout", "-E"), skip=1),
    "direnv": Wrapper(skip=2),
    "xvfb-run": Wrapper(_taking("-n", "-s", "-e", "-f", "-w")),
    "npx": Wrapper(_taking("-p", "--package")),
    "bunx": Wrapper(),
    "uvx": Wrapper(_taking("--from", "--with", "-p", "--python")),
}  # fmt: skip

RUNNERS: Final = frozenset(
    (("uv", "run"), ("poetry", "run"), ("pipenv", "run"), ("hatch", "run"), ("pdm", "run"), ("rye", "run"),
     ("npm", "exec"), ("pnpm", "exec"), ("yarn", "exec"), ("bundle", "exec"), ("opam", "exec"), ("cargo", "watch"))
)  # fmt: skip
"""A program and its first operand that start what comes next."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Which operands a program writes to: all after the first `skip`, or only the `last`. `taking` as in Wrapper;
    those of `into` name a place that is written to.
    """

    last: bool = False
    skip: int = 0
    taking: frozenset[str] = frozenset()
    into: frozenset[str] = frozenset()


_INTO: Final = _taking("-t", "--target-directory")
WRITERS: Final[Mapping[str, Writer]] = {
    "rm": Writer(),
    "rmdir": Writer(),
    "unlink": Writer(),
    "shred": Writer(taking=_taking("-n", "-s", "--iterations", "--size", "--random-source")),
    "mkdir": Writer(taking=_taking("-m", "--mode")),
    "mkfifo": Writer(taking=_taking("-m", "--mode")),
    "mknod": Writer(taking=_taking("-m", "--mode")),
    "touch": Writer(taking=_taking("-r", "-d", "-t", "--reference", "--date")),
    "truncate": Writer(taking=_taking("-s", "-r", "--size", "--reference")),
    "tee": Writer(),
    "mv": Writer(taking=_taking("-S", "--suffix"), into=_INTO),
    "cp": Writer(last=True, taking=_taking("-S", "--suffix"), into=_INTO),
    "ln": Writer(last=True, taking=_taking("-S", "--suffix"), into=_INTO),
    "patch": Writer(taking=_taking("-p", "-i", "-F"), into=_taking("-d", "-o", "--directory", "--output")),
    "split": Writer(skip=1, taking=_taking("-a", "-b", "-l", "-n", "-C")),
    "sponge": Writer(),
    "install": Writer(last=True, taking=_taking("-S", "-m", "-o", "-g", "--mode", "--owner", "--group"), into=_INTO),
    "rsync": Writer(last=True, taking=_taking("-e", "--rsh", "--exclude", "--include", "-f")),
    "chmod": Writer(skip=1),
    "chown": Writer(skip=1),
    "chgrp": Writer(skip=1),
    "chattr": Writer(skip=1),
    "setfacl": Writer(taking=_taking("-m", "-x", "-M", "-X")),
    "dd": Writer(skip=1_000),
    "tar": Writer(skip=1_000, into=_taking("-C", "--directory")),
    "unzip": Writer(skip=1_000, into=_taking("-d")),
    "curl": Writer(skip=1_000, into=_taking("-o", "--output", "--output-dir")),
    "wget": Writer(skip=1_000, into=_taking("-O", "-P", "--output-document", "--directory-prefix")),
    "sort": Writer(skip=1_000, into=_taking("-o", "--output")),
}
"""Options are kept apart from operands by their dash; a far too large `skip` leaves only the options."""

_NETWORK: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(verbs.split())
    for name, verbs in {
        "curl": "", "wget": "", "ssh": "", "scp": "", "sftp": "", "ftp": "", "telnet": "", "nc": "", "ncat": "",
        "ping": "", "dig": "", "nslookup": "", "npx": "", "bunx": "", "uvx": "", "gh": "", "aws": "", "gcloud": "",
        "git": "clone fetch pull push ls-remote submodule remote",
        "npm": "install i ci add update up upgrade publish audit view outdated exec create init",
        "pnpm": "install i add update up upgrade publish audit outdated dlx create fetch",
        "yarn": "install add upgrade up publish audit outdated dlx create",
        "bun": "install i add update upgrade publish outdated x create",
        "pip": "install download wheel index", "pip3": "install download wheel index",
        "uv": "sync add lock pip tool run", "poetry": "install add update lock publish",
        "pipenv": "install update lock",
        "pdm": "install add update lock sync", "conda": "install create update", "mamba": "install create update",
        "cargo": "fetch install add update publish search", "rustup": "update install target component toolchain",
        "go": "get install mod", "gem": "install update", "bundle": "install update add", "composer":
        "install update require", "mvn": "", "gradle": "", "gradlew": "", "dotnet": "restore add", "apt": "", "apt-get":
        "", "apk": "", "dnf": "", "yum": "", "brew": "", "pacman": "", "docker": "", "podman": "", "mix": "deps.get",
        "stack": "update install", "cabal": "update install", "opam": "install update",
    }.items()
}  # fmt: skip


def wants_network(name: str, operands: tuple[str, ...]) -> bool:
    """Whether a program goes to the network when it is called with these operands, as far as is known of it."""
    if name.startswith("python") and operands[:1] == ("pip",):
        name, operands = "pip", operands[1:]
    verbs = _NETWORK.get(name)
    if verbs is None:
        return False
    return not verbs or any(operand in verbs for operand in operands[:1])
