"""A change set as an LSP `WorkspaceEdit`: its hunks as text edits, versioned where the client can, all in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

from kaaj_agent.changes import ChangeSet, FileChange
from kaaj_agent.document import Document
from kaaj_agent.failures import ApplyError
from kaaj_server.convert import Convert
from kaaj_server.lsp.features import Features

Json: TypeAlias = Any
_ANNOTATION: Final = "kaaj"
_NEEDED: Final = {"delete": "delete", "rename": "rename"}
"""Where a client cannot create a file, it opens a buffer for the text that goes there."""


def workspace_edit(change: ChangeSet, convert: Convert, features: Features, *, confirm: bool = False) -> Json:
    """The edit. `confirm` asks the client to show it before it does it; that needs `features.annotations`.

    Raises ApplyError where the client cannot do what the change needs.
    """
    _refuse_what_is_missing(change, features)
    if not features.document_changes:
        return {"changes": {convert.uri(file.path): _text_edits(file, convert) for file in change.files}}
    annotate: Json = {"annotationId": _ANNOTATION} if features.annotations else {}
    rows: list[Json] = []
    for file in change.files:
        rows.extend(_operations(file, convert, features, annotate))
    edit: dict[str, Json] = {"documentChanges": rows}
    if features.annotations:
        label = change.summary.strip().partition("\n")[0][:80] or "Kaaj"
        edit["changeAnnotations"] = {_ANNOTATION: {"label": label, "needsConfirmation": confirm}}
    return edit


def _refuse_what_is_missing(change: ChangeSet, features: Features) -> None:
    for file in change.files:
        kind = _NEEDED.get(file.kind)
        if kind is None and file.new_path is not None:
            kind = "rename"
        if kind is not None and (not features.document_changes or kind not in features.operations):
            raise ApplyError(
                f"This editor does not let a language server {kind} files, and the change needs that for "
                f"{file.path.name}.",
                kept="Nothing was written; the proposal is kept.",
                hint="Apply its other hunks, or run the task with `kaaj run`.",
            )


def _operations(file: FileChange, convert: Convert, features: Features, annotate: Json) -> list[Json]:
    match file.kind:
        case "create":
            uri = convert.uri(file.path)
            if "create" not in features.operations:
                return [{"textDocument": {"uri": uri, "version": None}, "edits": _text_edits(file, convert)}]
            create = {"kind": "create", "uri": uri, "options": {"overwrite": False, "ignoreIfExists": False}}
            rows: list[Json] = [create | annotate]
            if file.after:
                start: Json = {"line": 0, "character": 0}
                # To Neovim an empty file is one empty line: with its end in the range it does not stay behind.
                end: Json = start if features.annotations else {"line": 1, "character": 0}
                insert: Json = {"range": {"start": start, "end": end}, "newText": file.after} | annotate
                rows.append({"textDocument": {"uri": uri, "version": None}, "edits": [insert]})
            return rows
        case "delete":
            options = {"recursive": False, "ignoreIfNotExists": False}
            return [{"kind": "delete", "uri": convert.uri(file.path), "options": options} | annotate]
        case "rename" | "edit":
            moved: list[Json] = []
            edits = [edit | annotate for edit in _text_edits(file, convert)]
            if edits:
                target = {"uri": convert.uri(file.path), "version": _version(file.path, convert)}
                moved.append({"textDocument": target, "edits": edits})
            if file.new_path is not None:
                uris = {"oldUri": convert.uri(file.path), "newUri": convert.uri(file.new_path)}
                moved.append({"kind": "rename", **uris, "options": {"overwrite": False}} | annotate)
            return moved


def _version(path: Path, convert: Convert) -> int | None:
    """The version that the client has now: the base was compared with it just before."""
    buffer = convert.documents.at(path)
    return buffer.version if buffer is not None else None


def _text_edits(file: FileChange, convert: Convert) -> list[Json]:
    base = file.before or Document(file.path, "")
    return [
        {"range": convert.range(base, hunk.start, hunk.end), "newText": hunk.new}
        for hunk in file.hunks
        if hunk.old != hunk.new
    ]
