"""Files on disk as documents. Reading only: writing is the journal's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from kaaj_agent.document import Document, decode
from kaaj_agent.failures import FileError, MissingFileError, NotTextError, TooLargeError

SIZE_MAX: Final = 10 * 1024 * 1024
"""Bytes; a larger file is not read into a prompt, a search or a change."""


def read(path: Path, name: str | None = None) -> Document:
    """A file's text. `name` is what messages call it. Blocks; call it off the event loop.

    Raises MissingFileError, NotTextError (binary, a folder, a device), TooLargeError, FileError (unreadable).
    """
    shown = name or str(path)
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise NotTextError(f"{shown} is not a regular file.", path=shown)
            if status.st_size > SIZE_MAX:
                size = status.st_size / 1_048_576
                raise TooLargeError(
                    f"{shown} is {size:.0f} MB; Kaaj works on files of up to {SIZE_MAX // 1_048_576} MB.",
                    path=shown,
                )
            data = file.read(SIZE_MAX + 1)
    except FileNotFoundError as error:
        raise MissingFileError(f"{shown} does not exist.", path=shown) from error
    except IsADirectoryError as error:
        raise NotTextError(f"{shown} is a folder.", path=shown) from error
    except NotADirectoryError as error:
        raise MissingFileError(f"{shown} does not exist.", path=shown) from error
    except OSError as error:
        raise FileError(f"{shown} cannot be read: {error.strerror}.", path=shown) from error
    text, style = decode(data, shown)
    return Document(path, text, None, style)
