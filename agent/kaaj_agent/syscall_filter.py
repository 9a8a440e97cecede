"""A filter for system calls, as bytes that bubblewrap hands to the kernel (seccomp(2), classic BPF).

It refuses what no check or build needs and what kernels were broken into by: other kinds of sockets (a virtual
machine's line to its host among them, which no network namespace closes), nested user namespaces, io_uring, bpf,
keyrings, mounts, and typing into somebody's terminal. All else is as it was. Numbers after the kernel's own tables.
"""

from __future__ import annotations

import platform
import struct
from dataclasses import dataclass
from typing import Final

_EPERM: Final = 1
_ENOSYS: Final = 38
_EAFNOSUPPORT: Final = 97

_LOAD: Final = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL: Final = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_AT_LEAST: Final = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_ANY_BIT: Final = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_RETURN: Final = 0x06  # BPF_RET | BPF_K
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000

_NUMBER, _ARCH, _FIRST, _SECOND = 0, 4, 16, 24
"""Offsets in struct seccomp_data: the call, the architecture, the low halves of two arguments."""

_X32: Final = 0x40000000
_NEW_USER_NAMESPACE: Final = 0x10000000
_FAMILIES: Final = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK."""
_TERMINAL_INPUT: Final = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX."""


@dataclass(frozen=True, slots=True)
class _Table:
    """An architecture's numbers. `denied` are calls that nothing here needs."""

    arch: int
    socket: int
    ioctl: int
    clone: int
    denied: tuple[int, ...]
    clone3: int = 435
    missing: tuple[int, ...] = (425, 426, 427)
    """io_uring, whose rings no filter sees; programs do without it where the kernel has none."""


_NEWER: Final = (428, 429, 430, 431, 432, 433, 438, 442, 443)
"""open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, pidfd_getfd, mount_setattr, quotactl_fd, everywhere."""

# mount, umount2, pivot_root, chroot, setns, unshare, swapon, swapoff, reboot, kexec_load, kexec_file_load, init_module,
# finit_module, delete_module, acct, settimeofday, clock_settime, bpf, perf_event_open, userfaultfd, keyctl, add_key,
# request_key, open_by_handle_at, quotactl, lookup_dcookie, syslog, sethostname, setdomainname
_TABLES: Final = {
    "x86_64": _Table(
        0xC000003E, 41, 16, 56,
        (165, 166, 155, 161, 308, 272, 167, 168, 169, 246, 320, 175, 313, 176, 163, 164, 227, 321, 298, 323, 250, 248,
         249, 304, 179, 212, 103, 170, 171, *_NEWER),
    ),
    "aarch64": _Table(
        0xC00000B7, 198, 29, 220,
        (40, 39, 41, 51, 268, 97, 224, 225, 142, 104, 294, 105, 273, 106, 89, 170, 112, 280, 241, 282, 219, 217, 218,
         265, 60, 18, 116, 161, 162, *_NEWER),
    ),
}  # fmt: skip


def _row(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
    return struct.pack("=HBBI", code, then, otherwise, value)


def _refuse(error: int) -> bytes:
    return _row(_RETURN, _ERRNO | error)


def _if_call(number: int, *body: bytes) -> bytes:
    """`body` for one call, which has to return."""
    return _row(_EQUAL, number, 0, len(body)) + b"".join(body)


def program(machine: str = "") -> bytes:
    """The filter for a machine (`platform.machine()`), empty for one whose numbers are not known here."""
    table = _TABLES.get(machine or platform.machine())
    if table is None:
        return b""
    allow = _row(_RETURN, _ALLOW)
    rows = [
        _row(_LOAD, _ARCH),
        _row(_EQUAL, table.arch, 1, 0),
        _refuse(_ENOSYS),  # calls of another architecture, whose numbers would mean something else
        _row(_LOAD, _NUMBER),
        _row(_AT_LEAST, _X32, 0, 1),
        _refuse(_ENOSYS),
        *(_if_call(number, _refuse(_EPERM)) for number in table.denied),
        *(_if_call(number, _refuse(_ENOSYS)) for number in table.missing),
        _if_call(table.clone3, _refuse(_ENOSYS)),  # its flags are in memory, out of sight; clone is used then
        _if_call(table.clone, _row(_LOAD, _FIRST), _row(_ANY_BIT, _NEW_USER_NAMESPACE, 0, 1), _refuse(_EPERM), allow),
        _if_call(table.socket, _row(_LOAD, _FIRST), *_one_of(_FAMILIES, allow), _refuse(_EAFNOSUPPORT)),
        _if_call(table.ioctl, _row(_LOAD, _SECOND), *_one_of(_TERMINAL_INPUT, _refuse(_EPERM)), allow),
        allow,
    ]
    return b"".join(rows)


def _one_of(values: tuple[int, ...], then: bytes) -> list[bytes]:
    return [part for value in values for part in (_row(_EQUAL, value, 0, 1), then)]
