"""Change sets: what Kaaj proposes, as one immutable value with an explicit state.

A change set goes `Draft → Checked → Proposed → Applied | Rejected | Stale`, and `Applied → Undone`. Each state is a
type of its own that holds what only that state has, so that an applied change without the digests of what was
applied cannot be written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from kaaj_agent import hunks as hunk_math
from kaaj_agent.document import UTF8, Document, TextFormat, digest_of
from kaaj_agent.hunks import Hunk

Kind: TypeAlias = Literal["edit", "create", "delete", "rename"]


@dataclass(frozen=True)
class FileChange:
    """What becomes of one file.

    `before` is what the change was made for, None where no file stood there. `after` is the new text, None where
    the file goes. `path` is where the file stands before; `new_path` where it stands afterwards, if elsewhere.
    A created, deleted or purely renamed file has exactly one hunk, so that it too can be refused. `style` is how a
    created file is laid down as bytes; any other keeps the format of `before`.
    """

    path: Path
    before: Document | None
    after: str | None
    new_path: Path | None = None
    hunks: tuple[Hunk, ...] = ()
    style: TextFormat = UTF8

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return "create"
        if self.after is None:
            return "delete"
        return "rename" if self.new_path else "edit"

    @property
    def target(self) -> Path:
        """Where the file stands once the change is applied."""
        return self.new_path or self.path

    @cached_property
    def after_digest(self) -> str | None:
        return None if self.after is None else digest_of(self.after)

    def with_hunks(self, earlier: FileChange | None = None, todo: str | None = None) -> FileChange:
        """This change with its hunks computed; those of `earlier` keep their to-do item, new ones get `todo`.

        `earlier` is a state of the change of the same file before this one.
        """
        name = str(self.path)
        base = self.before.text if self.before else ""
        if self.kind in ("create", "delete"):
            new = self.after or ""
            found: tuple[Hunk, ...] = (
                Hunk(hunk_math.hunk_id(name, 0, base, f"{self.kind}{new}"), 0, len(base), base, new, 1),
            )
        else:
            found = self._edited(name, earlier)
            if not found and self.new_path:
                found = (Hunk(hunk_math.hunk_id(name, 0, "", str(self.new_path)), 0, 0, "", "", 1),)
        return replace(self, hunks=hunk_math.attribute(found, earlier.hunks if earlier else (), todo))

    def _edited(self, name: str, earlier: FileChange | None) -> tuple[Hunk, ...]:
        """The hunks of an edit; where an earlier state of it is known, only what differs is compared."""
        if self.before is None or self.after is None:
            raise AssertionError("only an edited file has hunks within it")
        if earlier is None or earlier.before != self.before or earlier.after is None:
            return hunk_math.extend(name, self.before, (), self.before.text, self.after)
        known = tuple(hunk for hunk in earlier.hunks if hunk.old != hunk.new)
        return hunk_math.extend(name, self.before, known, earlier.after, self.after)

    def only(self, chosen: Collection[str]) -> FileChange | None:
        """This change with the chosen hunks alone, by id; None where none of its hunks is chosen.

        A rename is kept with any of its hunks.
        """
        taken = tuple(hunk for hunk in self.hunks if hunk.id in chosen)
        if not taken:
            return None
        if len(taken) == len(self.hunks) or self.before is None or self.after is None:
            return self
        return replace(self, after=hunk_math.apply(self.before.text, taken), hunks=taken)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check in the shadow workspace gave.

    `status`: `passed`; `failed`; `none` where there was nothing to run or it was not allowed. `parsed` says whether
    every touched file parses. `seconds` is wall time; `output` is what the command printed, cut honestly.
    """

    status: Literal["passed", "failed", "none"]
    command: str = ""
    output: str = ""
    seconds: float = 0.0
    parsed: bool = True
    sandboxed: bool = False
    exit_code: int | None = None

    @property
    def ok(self) -> bool:
        return self.parsed and self.status != "failed"


@dataclass(frozen=True, slots=True)
class Draft:
    """Being made; nobody has seen it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Laid out in a shadow workspace and checked there."""

    check: CheckResult


@dataclass(frozen=True, slots=True)
class Proposed:
    """Shown to the person; `ChangeSet.digest` is what a decision must name."""

    check: CheckResult


@dataclass(frozen=True, slots=True)
class Applied:
    """In the user's files. `after` holds each touched path's digest (None: gone), which undo compares again."""

    check: CheckResult
    hunks: frozenset[str]
    after: dict[Path, str | None] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Rejected:
    """Refused in whole; nothing was written."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """The texts it was made for have changed and it could not be carried over; nothing was written."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """Applied once, taken back since."""


State: TypeAlias = Draft | Checked | Proposed | Applied | Rejected | Stale | Undone


@dataclass(frozen=True)
class ChangeSet:
    """The files of one change, in the order in which they were first touched.

    `undoes` is the id of the change that this one takes back, if it is such a one.
    """

    id: str
    task: str
    files: tuple[FileChange, ...]
    state: State = field(default_factory=Draft)
    summary: str = ""
    undoes: str = ""

    @cached_property
    def digest(self) -> str:
        """What a decision names: it covers every path, base and new text, and no state."""
        seed = hashlib.sha256()
        for file in self.files:
            before = file.before.digest if file.before else "-"
            row = (str(file.path), str(file.new_path or ""), before, file.after_digest or "-")
            seed.update("\0".join(row).encode("utf-8", "surrogatepass") + b"\n")
        return seed.hexdigest()

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        return tuple(hunk for file in self.files for hunk in file.hunks)

    @property
    def after(self) -> dict[Path, str | None]:
        """Each touched path with the digest that it has once all is applied, None where no file is left."""
        after: dict[Path, str | None] = {}
        for file in self.files:
            if file.target != file.path or file.after is None:
                after.setdefault(file.path, None)
            if file.after is not None:
                after[file.target] = file.after_digest
        return after

    @property
    def before(self) -> dict[Path, str | None]:
        """Each touched path with the digest that it had, None where there was no file."""
        before: dict[Path, str | None] = {file.target: None for file in self.files}
        return before | {file.path: file.before.digest if file.before else None for file in self.files}

    @property
    def check(self) -> CheckResult | None:
        match self.state:
            case Checked(check) | Proposed(check) | Applied(check, _, _):
                return check
            case _:
                return None

    def only(self, chosen: Collection[str]) -> ChangeSet:
        """The same change with the chosen hunks alone, by id."""
        kept = (file.only(chosen) for file in self.files)
        return replace(self, files=tuple(file for file in kept if file))

    def to(self, state: State) -> ChangeSet:
        return replace(self, state=state)
