"""Fakes of the ports other than the model: an applier that writes into the world's buffers, a person who answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kaaj_agent.changes import ChangeSet
from kaaj_agent.document import Document
from kaaj_agent.ports import Diagnostic, Question, Written
from kaaj_agent.world import World


@dataclass
class BufferApplier:
    """Applies into `world` as an editor would, each file as an open buffer; remembers what it was given."""

    world: World
    applied: list[ChangeSet] = field(default_factory=list[ChangeSet])

    async def apply(self, change: ChangeSet) -> Written:
        self.applied.append(change)
        after: dict[Path, str | None] = {}
        for file in change.files:
            if file.after is None or file.new_path is not None:
                self.world.drop(file.path)
                after[file.path] = None
            if file.after is not None:
                self.world.put(Document(file.target, file.after, 1 + (file.before.version or 0 if file.before else 0)))
                after[file.target] = file.after_digest
        return Written(after)


@dataclass
class Answers:
    """A person who gives `answers` in turn, then None; remembers the questions."""

    answers: list[str | None] = field(default_factory=list[str | None])
    asked: list[Question] = field(default_factory=list[Question])

    async def ask(self, question: Question) -> str | None:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else None


@dataclass
class Problems:
    """Fixed problems."""

    known: tuple[Diagnostic, ...] = ()

    async def diagnostics(self, path: Path | None) -> Sequence[Diagnostic]:
        return [problem for problem in self.known if path is None or problem.path == path]
