"""Files on disk as documents. Reading only: writing is the journal's."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from kaaj_agent import beneath
from kaaj_agent.document import Document, decode
from kaaj_agent.failures import FileError, MissingFileError, NotTextError, OutsideError, TooLargeError

SIZE_MAX: Final = 10 * 1024 * 1024
"""Bytes; a larger file is not read into a prompt, a search or a change."""


def check_size(size: int, name: str) -> None:
    """Raises TooLargeError for a text that is over `SIZE_MAX` bytes."""
    if size > SIZE_MAX:
        raise TooLargeError(
            f"{name} is {size / 1_048_576:.0f} MB; Kaaj works on files of up to {SIZE_MAX // 1_048_576} MB.", path=name
        )


def _open(path: str, flags: int) -> int:
    """Through no link, and without waiting: a named pipe would hold the thread until somebody writes into it."""
    return beneath.open_file(Path(path), flags | getattr(os, "O_NONBLOCK", 0))


def read(path: Path, name: str | None = None) -> Document:
    """A file's text. `path` has its links resolved, `name` is what messages call it. Blocks; call it off the loop.

    Raises MissingFileError, NotTextError (binary, a folder, a device), TooLargeError, OutsideError (a part of the path
    is a link by now), FileError (unreadable).
    """
    shown = name or str(path)
    try:
        with open(path, "rb", opener=_open) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NotTextError(f"{shown} is not a regular file.", path=shown)
            check_size(status.st_size, shown)
            data = file.read(SIZE_MAX + 1)
    except FileNotFoundError as error:
        raise MissingFileError(f"{shown} does not exist.", path=shown) from error
    except IsADirectoryError as error:
        raise NotTextError(f"{shown} is a folder.", path=shown) from error
    except NotADirectoryError as error:
        raise MissingFileError(f"{shown} does not exist.", path=shown) from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OutsideError(f"{shown} stands behind a link by now; it was not read.", path=shown) from error
        raise FileError(f"{shown} cannot be read: {error.strerror}.", path=shown) from error
    text, style = decode(data, shown)
    return Document(path, text, None, style)
