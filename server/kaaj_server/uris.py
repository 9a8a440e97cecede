"""File URIs against paths. A client's own spelling of a URI is kept and sent back; paths have their links resolved."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_to_bytes, urlsplit

_DRIVE: Final = re.compile(r"^/[A-Za-z]:")
_KNOWN_MAX: Final = 10_000
"""URIs whose paths are remembered."""


def path_of(uri: str) -> Path | None:
    """The path that a `file:` URI names, as it stands there; None for any other scheme and for nonsense."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    if parts.scheme != "file":
        return None
    name = os.fsdecode(unquote_to_bytes(parts.path))  # a name need not be UTF-8
    if not name.startswith("/") or "\0" in name:
        return None
    if parts.netloc and parts.netloc != "localhost":
        name = f"//{parts.netloc}{name}"
    elif os.name == "nt" and _DRIVE.match(name):
        name = name[1:]
    return Path(name)


def uri_of(path: Path) -> str:
    """The `file:` URI of an absolute path, quoted as VS Code and Neovim do not mind."""
    return path.as_uri()


def _resolved(uri: str) -> Path | None:
    """The path that a URI names, links resolved; None for what names no file, such as a loop of links."""
    path = path_of(uri)
    try:
        return path.resolve() if path is not None else None
    except (OSError, RuntimeError, ValueError):  # RuntimeError: a loop, before Python 3.13
        return None


class Places:
    """Where the client's folders are: the way from URIs to resolved paths, and back to the client's spelling."""

    def __init__(self) -> None:
        self.root_uris: list[str] = []
        self._roots: list[tuple[Path, str]] = []
        self._known: dict[str, Path | None] = {}

    def set_roots(self, uris: Iterable[str]) -> tuple[Path, ...]:
        """The workspace folders, in order; those that are no files are left out. Returns them resolved."""
        self.root_uris = list(uris)
        self._roots = []
        self._known.clear()
        for uri in self.root_uris:
            path = _resolved(uri)
            if path is not None:
                self._roots.append((path, uri.rstrip("/")))
        return self.roots

    @property
    def roots(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys(root for root, _ in self._roots))

    def holds(self, path: Path) -> bool:
        """Whether a path is a workspace folder or in one."""
        return any(path.is_relative_to(root) for root, _ in self._roots)

    def locate(self, uri: str) -> Path | None:
        """The absolute path, links resolved; None for what is no file."""
        if uri not in self._known:
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[uri] = _resolved(uri)
        return self._known[uri]

    def uri(self, path: Path) -> str:
        """A path as the client would spell it: below the URI of its workspace folder, where it is in one."""
        holders = [(root, uri) for root, uri in self._roots if path.is_relative_to(root)]
        if not holders:
            return uri_of(path)
        root, uri = max(holders, key=lambda holder: len(holder[0].parts))
        rest = path.relative_to(root).as_posix()
        return uri if rest == "." else f"{uri}/{quote(os.fsencode(rest))}"
