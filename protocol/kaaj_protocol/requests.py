"""What the server asks of the client beyond LSP: `kaaj/diagnostics`.

It is asked only of clients that declare `capabilities.experimental.kaaj = {version: 1, diagnostics: true}`. An answer
that is wrong or late, or an error, costs nothing: the server goes on with what it knows.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from kaaj_protocol import names
from kaaj_protocol.commands import Diagnostic
from kaaj_protocol.wire import Message, Uri

FILES_MAX: Final = 1_000
DIAGNOSTICS_MAX: Final = 1_000


class DiagnosticsQuery(Message):
    """The problems that the editor shows now, of all sources: of the file `uri`, or without it of every file."""

    uri: Uri | None = None


class FileDiagnostics(Message):
    """The problems of one file."""

    model_config = ConfigDict(extra="ignore")

    uri: Uri
    diagnostics: Annotated[list[Diagnostic], Field(max_length=DIAGNOSTICS_MAX)]


class DiagnosticsAnswer(Message):
    """Every file that has problems. One that was asked for and is not in it has none."""

    model_config = ConfigDict(extra="ignore")

    files: Annotated[list[FileDiagnostics], Field(max_length=FILES_MAX)]


REQUESTS: Final[dict[str, tuple[type[Message], type[Message]]]] = {
    names.DIAGNOSTICS: (DiagnosticsQuery, DiagnosticsAnswer),
}
"""Parameters and answer of each request."""
