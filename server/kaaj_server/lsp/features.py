"""What the client can do, read once out of the plain JSON of `initialize`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, cast

from kaaj_protocol import names
from kaaj_protocol.version import PROTOCOL_VERSION
from kaaj_server.lsp.positions import DEFAULT, Encoding, choose

Json: TypeAlias = Any
_ALL_OPERATIONS: Final = frozenset({"create", "rename", "delete"})


@dataclass(frozen=True, slots=True)
class Features:
    """One client. `operations` are the resource operations that it applies; `asked_version` is the version of the
    event stream that it asked for, None where it asked for none; `tells_problems`: it answers `kaaj/diagnostics`.
    """

    encoding: Encoding = DEFAULT
    asked_version: int | str | None = None
    apply_edit: bool = False
    document_changes: bool = False
    operations: frozenset[str] = frozenset()
    annotations: bool = False
    progress: bool = False
    show_document: bool = False
    action_literals: bool = False
    resolve_edit: bool = False
    action_data: bool = False
    lens_refresh: bool = False
    configuration: bool = False
    dynamic_configuration: bool = False
    dynamic_watch: bool = False
    tells_problems: bool = False

    @property
    def events(self) -> bool:
        """Whether the client gets the event stream; all others get the plain tier."""
        return self.asked_version == PROTOCOL_VERSION

    @property
    def version_complaint(self) -> str:
        """A sentence for the person where client and server speak different versions of the stream; else empty."""
        if self.asked_version is None or self.events:
            return ""
        return (
            f"This editor's Kaaj client asks for version {self.asked_version} of the event stream; the server speaks "
            f"version {PROTOCOL_VERSION}. Kaaj goes on with standard LSP alone. Bring both to the same release."
        )


def read(capabilities: Json) -> Features:
    """Out of `InitializeParams.capabilities`. What is missing or malformed counts as not there."""
    edit = _at(capabilities, "workspace", "workspaceEdit")
    action = _at(capabilities, "textDocument", "codeAction")
    resolves = _at(action, "resolveSupport", "properties")
    encodings = _at(capabilities, "general", "positionEncodings")
    operations = _at(edit, "resourceOperations")
    return Features(
        encoding=choose(_words(encodings)),
        asked_version=_version(_at(capabilities, "experimental", names.SECTION)),
        apply_edit=_at(capabilities, "workspace", "applyEdit") is True,
        # Neovim (to 0.11) names the operations alone; they stand among document changes only.
        document_changes=_at(edit, "documentChanges") is True or bool(_words(operations)),
        operations=_ALL_OPERATIONS.intersection(_words(operations)),
        annotations=isinstance(_at(edit, "changeAnnotationSupport"), Mapping),
        progress=_at(capabilities, "window", "workDoneProgress") is True,
        show_document=_at(capabilities, "window", "showDocument", "support") is True,
        action_literals=isinstance(_at(action, "codeActionLiteralSupport"), Mapping),
        resolve_edit=isinstance(resolves, list) and "edit" in resolves and _at(action, "dataSupport") is not False,
        action_data=_at(action, "dataSupport") is True,
        lens_refresh=_at(capabilities, "workspace", "codeLens", "refreshSupport") is True,
        configuration=_at(capabilities, "workspace", "configuration") is True,
        dynamic_configuration=_at(capabilities, "workspace", "didChangeConfiguration", "dynamicRegistration") is True,
        tells_problems=_at(capabilities, "experimental", names.SECTION, "diagnostics") is True,
        dynamic_watch=_at(capabilities, "workspace", "didChangeWatchedFiles", "dynamicRegistration") is True,
    )


def _version(value: Json) -> int | str | None:
    if value is None or value is False:
        return None
    version = _at(value, "version")
    return version if isinstance(version, (int, str)) and not isinstance(version, bool) else "unknown"


def _words(value: Json) -> list[str]:
    """The strings of a list; none of what is no list."""
    return [word for word in cast("list[object]", value) if isinstance(word, str)] if isinstance(value, list) else []


def _at(value: Json, *keys: str) -> Json:
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = cast("Mapping[str, Json]", value).get(key)
    return value
