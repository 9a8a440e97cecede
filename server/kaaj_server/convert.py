"""The only place where wire and core meet: URIs and paths, positions and offsets, JSON and the agent's values.

The wire's side are plain JSON objects, as `kaaj_protocol` describes them; events are built as such directly, since a
streamed reply has thousands. What is refused raises BadRequestError, with the name of the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, assert_never

from kaaj_agent import changes as ch
from kaaj_agent import events as ev
from kaaj_agent.attachments import (
    AttachedFile,
    AttachedFolder,
    AttachedProblems,
    AttachedRange,
    AttachedText,
    Attachment,
)
from kaaj_agent.disguise import file_warning, hunk_warning
from kaaj_agent.document import Document
from kaaj_agent.failures import BadRequestError, OutsideError
from kaaj_agent.hunks import Hunk
from kaaj_agent.ports import Diagnostic, Question, Usage
from kaaj_agent.request import Intent, StartRequest
from kaaj_agent.todo import DONE_BEFORE, Evidence, Status, Todo, TodoList
from kaaj_agent.world import Folders
from kaaj_protocol import commands, names
from kaaj_protocol.context import (
    ContextItem,
    FileContext,
    FolderContext,
    ProblemsContext,
    RangeContext,
    TextContext,
)
from kaaj_server.lsp.documents import Documents
from kaaj_server.lsp.json_values import an_object
from kaaj_server.lsp.positions import character_of, index_of
from kaaj_server.uris import Places

Json: TypeAlias = Any
_SEVERITIES: Final[dict[int, Literal["error", "warning", "information", "hint"]]] = {
    1: "error",
    2: "warning",
    3: "information",
    4: "hint",
}
_TEXTS_MAX: Final = 1_000_000
"""Characters of all texts that are handed along with one prompt: they stand in the session's log and its events."""
_WARNINGS_MAX: Final = 4_096
_OF_FILES: Final = ("read", "edit", "write", "diagnostics")
"""The tools whose `path` is a file; that of the others may be a folder."""
_OWN_STATUS: Final = ("pending", "skipped")
"""The statuses that a person may set; the others follow evidence."""


class Convert:
    """Both ways, for one client: it knows how that client spells its URIs and counts its characters."""

    def __init__(self, places: Places, documents: Documents) -> None:
        self.places = places
        self.documents = documents
        self._warnings: dict[str, str] = {}

    # --- URIs and positions ----------------------------------------------------------------------------------------

    def path(self, uri: str, field: str = "uri") -> Path:
        path = self.places.locate(uri)
        if path is None:
            scheme = uri.partition(":")[0]
            hint = "Save the text to a file first." if scheme == "untitled" else "Kaaj works on files."
            raise BadRequestError(f"{field}: {uri!r} is not a file.", field=field, hint=hint)
        return path

    def uri(self, path: Path) -> str:
        buffer = self.documents.at(path)
        return buffer.uri if buffer is not None else self.places.uri(path)

    def position(self, document: Document, offset: int) -> Json:
        lines = document.lines
        line = lines.line_at(offset)
        start = lines.start(line)
        if offset == start:
            return {"line": line, "character": 0}
        text = document.text[start : lines.end(line)]
        return {"line": line, "character": character_of(text, offset - start, self.documents.encoding)}

    def range(self, document: Document, start: int, end: int) -> Json:
        return {"start": self.position(document, start), "end": self.position(document, end)}

    def column(self, path: Path, line: int, character: int) -> int:
        """A position's character as a column in code points, from 1."""
        buffer = self.documents.at(path)
        if buffer is None or line >= len(buffer.lines):
            return character + 1
        return index_of(buffer.lines[line], character, self.documents.encoding) + 1

    # --- requests --------------------------------------------------------------------------------------------------

    def start(self, argument: commands.StartArgument, mode: ev.Mode, intent: Intent = "task") -> StartRequest:
        path = None if argument.uri is None else self.path(argument.uri)
        span = None
        if argument.range is not None:
            span = span_of(argument.range.model_dump(), whole_lines=False)
        return StartRequest(
            argument.prompt,
            argument.mode or mode,
            path,
            span,
            argument.session,
            intent=intent,
            context=self.context(argument.context or ()),
            todo=first_list(argument.todo or ()),
        )

    def fix(self, argument: commands.FixArgument, known: Sequence[Diagnostic], mode: ev.Mode) -> StartRequest:
        """`known`: what the server knows of the file, used where the client sent no problems along."""
        path = self.path(argument.uri)
        span = span_of(argument.range.model_dump(), whole_lines=True)
        if argument.diagnostics is None:
            found = tuple(one for one in known if span[0] < one.line <= span[1])
        else:
            found = tuple(self.diagnostic(path, one.model_dump()) for one in argument.diagnostics)
        buffer = self.documents.at(path)
        whole = buffer is not None and span[0] == 0 and span[1] >= len(buffer.lines)
        return StartRequest(fix_prompt(found), mode, path, None if whole else span, None, found, "fix")

    def diagnostic(self, path: Path, raw: Mapping[str, Json]) -> Diagnostic:
        """Raises KeyError or TypeError for what is no diagnostic."""
        start = raw["range"]["start"]
        line = int(start["line"])
        message = raw["message"]
        return Diagnostic(
            path,
            line + 1,
            self.column(path, line, int(start["character"])),
            _SEVERITIES.get(raw.get("severity") or 1, "error"),
            str(an_object(message).get("value") or message),
            str(raw.get("source") or ""),
            "" if raw.get("code") is None else str(raw["code"]),
        )

    def todo(self, edits: Sequence[commands.TodoEdit], before: TodoList) -> tuple[Todo, ...]:
        """The list as the person wants it. An item that is done stays, also where the edit leaves it out."""
        items: list[Todo] = []
        fresh = max((int(item.id[1:]) for item in before.items if item.id[1:].isdigit()), default=0)
        for place, edit in enumerate(edits):
            old = before.get(edit.id) if edit.id else None
            if edit.id and old is None:
                field = f"items.{place}.id"
                raise BadRequestError(f"{field}: there is no item {edit.id!r} in this list.", field=field)
            if old is None:
                fresh += 1
                status: Status = "skipped" if edit.status == "skipped" else "pending"
                items.append(Todo(f"t{fresh}", edit.title.strip(), status, "user"))
                continue
            status = edit.status if edit.status is not None and edit.status in _OWN_STATUS else old.status
            title = edit.title.strip()
            by = old.by if title == old.title else "user"
            items.append(Todo(old.id, title, status, by, old.evidence))
        held = {item.id for item in items}
        items.extend(item for item in before.items if item.status == "done" and item.id not in held)
        return tuple(items)

    # --- what is handed along --------------------------------------------------------------------------------------

    def context(self, items: Sequence[ContextItem]) -> tuple[Attachment, ...]:
        """Raises BadRequestError for what is no file of the workspace, or is too much."""
        size = sum(len(item.text) for item in items if isinstance(item, TextContext))
        if size > _TEXTS_MAX:
            raise BadRequestError(
                f"context: texts of {size:,} characters are too much; at most {_TEXTS_MAX:,}.", field="context"
            )
        return tuple(self._attachment(item, f"context.{place}.uri") for place, item in enumerate(items))

    def _attachment(self, item: ContextItem, field: str) -> Attachment:
        match item:
            case FileContext(uri=uri):
                return AttachedFile(self._inside(uri, field))
            case FolderContext(uri=uri):
                return AttachedFolder(self._inside(uri, field))
            case RangeContext(uri=uri):
                span = span_of(item.range.model_dump(), whole_lines=True)
                return AttachedRange(self._inside(uri, field), span, item.name or "")
            case ProblemsContext(uri=uri):
                return AttachedProblems(None if uri is None else self._inside(uri, field))
            case TextContext(name=name, text=text):
                return AttachedText(name, text)

    def _inside(self, uri: str, field: str) -> Path:
        path = self.path(uri, field)
        if not self.places.holds(path):
            raise BadRequestError(f"{field}: {path} is outside of the workspace; nothing was started.", field=field)
        return path

    def context_rows(self, context: Sequence[Attachment]) -> list[Json]:
        """As the client handed it along, in whole lines."""
        return [self._context_row(one) for one in context]

    def _context_row(self, one: Attachment) -> Json:
        match one:
            case AttachedFile(path):
                return {"kind": "file", "uri": self.uri(path)}
            case AttachedFolder(path):
                return {"kind": "folder", "uri": self.uri(path)}
            case AttachedRange(path, (first, last), name):
                start, end = {"line": first, "character": 0}, {"line": last, "character": 0}
                row = {"kind": "range", "uri": self.uri(path), "range": {"start": start, "end": end}}
                return row | ({"name": name} if name else {})
            case AttachedProblems(path):
                return {"kind": "problems"} | ({"uri": self.uri(path)} if path else {})
            case AttachedText(name, text):
                return {"kind": "text", "name": name, "text": text}
            case _:
                assert_never(one)

    def concerned(self, tool: str, arguments: Mapping[str, Json]) -> Json:
        """The `uri` of the file that a call of a tool is about, or nothing."""
        name = arguments.get("path")
        if tool not in _OF_FILES or not isinstance(name, str):
            return {}
        try:
            return {"uri": self.uri(Folders(self.places.roots).resolve(name))}
        except OutsideError:
            return {}

    # --- events ----------------------------------------------------------------------------------------------------

    def event(self, event: ev.Event) -> Json:
        """One event as `kaaj/event` carries it."""
        body = event.body
        head: dict[str, Json] = {"session": event.session, "seq": event.seq, "time": event.time}
        match body:
            case ev.TextAdded(task, text, reset):
                return head | {"type": names.TEXT, "task": task, "text": text} | ({"reset": True} if reset else {})
            case ev.TaskStarted(task, prompt, mode, path, model, context):
                row: Json = {"type": names.TASK_STARTED, "task": task, "prompt": prompt, "mode": mode, "model": model}
                row |= {"context": self.context_rows(context)} if context else {}
                return head | row | ({"uri": self.uri(path)} if path else {})
            case ev.ToolStarted(task, call, tool, title, arguments):
                row = {"type": names.TOOL_STARTED, "task": task, "call": call, "tool": tool, "title": title}
                return head | row | self.concerned(tool, arguments)
            case ev.ToolProgressed(task, call, note):
                return head | {"type": names.TOOL_PROGRESS, "task": task, "call": call, "note": note}
            case ev.ToolFinished(task, call, ok, summary):
                return head | {"type": names.TOOL_FINISHED, "task": task, "call": call, "ok": ok, "summary": summary}
            case ev.TodoChanged(task, todo, by):
                return head | {"type": names.TODO_EVENT, "task": task, "items": todo_rows(todo), "by": by}
            case ev.ChangeChanged(task, change):
                return head | {"type": names.CHANGE, "task": task, "change": self.change(change)}
            case ev.ApprovalAsked(task, question):
                row = {"type": names.APPROVAL, "task": task, "id": question.id, "state": "pending"}
                return head | row | {"approval": approval_row(question)}
            case ev.ApprovalAnswered(task, question, answer):
                row = {"type": names.APPROVAL, "task": task, "id": question, "state": "resolved"}
                return head | row | ({} if answer is None else {"answer": answer})
            case ev.UsageAdded(task, total, used, window, cost):
                return head | {"type": names.USAGE, "task": task, "usage": usage_row(total, used, window, cost)}
            case ev.Noticed(task, level, text):
                return head | {"type": names.NOTICE, "task": task, "level": level, "message": text}
            case ev.TaskFinished(task, status, summary):
                return head | {"type": names.TASK_FINISHED, "task": task, "status": status, "summary": summary}
            case _:
                assert_never(body)

    def change(self, change: ch.ChangeSet) -> Json:
        row: dict[str, Json] = {
            "id": change.id,
            "task": change.task,
            "digest": change.digest,
            "state": type(change.state).__name__.lower(),
            "summary": change.summary,
            "files": [self._file(file, draft=isinstance(change.state, ch.Draft)) for file in change.files],
        }
        if change.check is not None:
            row["check"] = check_row(change.check)
        if isinstance(change.state, ch.Applied):
            row["applied"] = sorted(change.state.hunks)
        return row

    def _file(self, file: ch.FileChange, *, draft: bool) -> Json:
        base = file.before or Document(file.path, "")
        row: dict[str, Json] = {
            "uri": self.uri(file.path),
            "kind": file.kind,
            "hunks": [self._hunk(base, hunk, draft=draft) for hunk in file.hunks],
        }
        if file.new_path is not None:
            row["new_uri"] = self.uri(file.new_path)
        if warning := file_warning(file, Folders(self.places.roots)):
            row["warning"] = warning
        return row

    def _hunk(self, base: Document, hunk: Hunk, *, draft: bool) -> Json:
        """Drafts come with every edit, and are not decided on: what they hide is looked for in what is proposed."""
        place = self.range(base, hunk.start, hunk.end)
        row = {"id": hunk.id, "range": place, "old": hunk.old, "new": hunk.new}
        warning = "" if draft else self._warning(hunk)
        return row | ({"todo": hunk.todo} if hunk.todo else {}) | ({"warning": warning} if warning else {})

    def _warning(self, hunk: Hunk) -> str:
        """What a hunk hides, looked for once: its id covers its text."""
        if hunk.id not in self._warnings:
            if len(self._warnings) >= _WARNINGS_MAX:
                self._warnings.clear()
            self._warnings[hunk.id] = hunk_warning(hunk)
        return self._warnings[hunk.id]


# --- values without a place -----------------------------------------------------------------------------------------


def span_of(place: Mapping[str, Json], *, whole_lines: bool) -> tuple[int, int]:
    """The lines that a range covers, from 0, the end not included. An empty range is an empty span at its line, or
    that line where `whole_lines` are wanted; a range that ends before a line's first character leaves that line out.
    """
    start, end = place["start"], place["end"]
    first, last = int(start["line"]), int(end["line"])
    if last < first:
        first, last = last, first
    if first == last:
        empty = start["character"] == end["character"] and not whole_lines
        return first, first if empty else first + 1
    return first, last if end["character"] == 0 else last + 1


def first_list(edits: Sequence[commands.TodoEdit]) -> tuple[Todo, ...]:
    """The list that a task begins with: the person's, numbered anew. What is done already is not done again."""

    def item(place: int, edit: commands.TodoEdit) -> Todo:
        new = Todo(f"t{place}", edit.title.strip(), "skipped" if edit.status == "skipped" else "pending", "user")
        return replace(new, status="done", evidence=Evidence(note=DONE_BEFORE)) if edit.status == "done" else new

    return tuple(item(place, edit) for place, edit in enumerate(edits, 1))


def fix_prompt(problems: Sequence[Diagnostic]) -> str:
    if not problems:
        return "Find and fix what is wrong in the selected lines."
    if len(problems) == 1:
        return f"Fix this problem: {problems[0].message}"
    return f"Fix these {len(problems)} problems."


def todo_rows(todo: TodoList) -> list[Json]:
    return [_todo_row(item) for item in todo.items]


def _todo_row(item: Todo) -> Json:
    row: dict[str, Json] = {"id": item.id, "title": item.title, "status": item.status, "by": item.by}
    if item.evidence.convincing:
        evidence = item.evidence
        row["evidence"] = {"hunks": list(evidence.hunks), "check": evidence.check, "note": evidence.note}
    return row


def check_row(check: ch.CheckResult) -> Json:
    row: dict[str, Json] = {
        "status": check.status,
        "command": check.command,
        "output": check.output,
        "seconds": check.seconds,
        "parsed": check.parsed,
        "sandboxed": check.sandboxed,
    }
    return row | ({} if check.exit_code is None else {"exit_code": check.exit_code})


def approval_row(question: Question) -> Json:
    return {
        "id": question.id,
        "task": question.task,
        "kind": question.kind,
        "title": question.title,
        "detail": question.detail,
        "choices": list(question.choices),
    }


def usage_row(total: Usage, used: int, window: int, cost: float | None = None) -> Json:
    row: dict[str, Json] = {
        "requests": total.requests,
        "prompt_tokens": total.prompt,
        "cached_tokens": total.cached,
        "completion_tokens": total.completion,
        "context_tokens": used,
        "context_window": window,
    }
    return row if cost is None else row | {"cost": cost}
