"""What can go wrong in the world, each with a sentence for a person.

Three kinds of failure exist. The *model* erred: that is a value (a tool result) it can read and mend. The *world*
failed: one of these exceptions, raised where a foreign error is mapped. *We* erred: any other exception, logged
where a task or a request ends, and never swallowed.
"""

from __future__ import annotations


class KaajError(Exception):
    """Something outside of Kaaj did not go as asked.

    `message` says what happened, `kept` what was not lost, `hint` what to do next; the last two may be empty.
    """

    def __init__(self, message: str, *, kept: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.kept = kept
        self.hint = hint

    def __str__(self) -> str:
        return " ".join(part for part in (self.message, self.kept, self.hint) if part)


class BadRequestError(KaajError):
    """The caller asked for something that makes no sense; `field` names the part of the request."""

    def __init__(self, message: str, *, field: str = "", kept: str = "", hint: str = "") -> None:
        super().__init__(message, kept=kept, hint=hint)
        self.field = field


class FileError(KaajError):
    """A file could not be used; `path` is shown to people and to the model."""

    def __init__(self, message: str, *, path: str, kept: str = "", hint: str = "") -> None:
        super().__init__(message, kept=kept, hint=hint)
        self.path = path


class MissingFileError(FileError):
    """There is no such file."""


class NotTextError(FileError):
    """The file is binary, or its bytes cannot be kept exactly by any encoding that is tried."""


class TooLargeError(FileError):
    """The file is over the size that is read at all."""


class OutsideError(FileError):
    """The path, links resolved, is not in any workspace folder, or is withheld by an ignore rule."""


class StaleError(KaajError):
    """A text is not the one that a change was made for; nothing was written. `paths` names the files."""

    def __init__(self, message: str, *, paths: tuple[str, ...] = (), kept: str = "", hint: str = "") -> None:
        super().__init__(message, kept=kept, hint=hint)
        self.paths = paths


class ApplyError(KaajError):
    """A change could not be applied, or the client's text afterwards is not what it should be."""


class ModelError(KaajError):
    """The model's endpoint failed for good, after its retries. The message names the endpoint, never the key."""


class ContextTooLongError(ModelError):
    """The prompt does not fit into the model's window; a shorter one (compaction) may.

    `window` is the window's size in tokens where the endpoint's own words tell it, else 0.
    """

    def __init__(self, message: str, *, window: int = 0, kept: str = "", hint: str = "") -> None:
        super().__init__(message, kept=kept, hint=hint)
        self.window = window


class SandboxError(KaajError):
    """A command could not be started at all (it is not a command's own non-zero exit)."""
