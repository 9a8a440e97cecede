"""What a person hands along with a prompt. Values only; `attaching` puts them into words for the model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class AttachedFile:
    path: Path


@dataclass(frozen=True, slots=True)
class AttachedFolder:
    path: Path


@dataclass(frozen=True, slots=True)
class AttachedRange:
    """Lines of a file, from 0, the end not included: a selection, or a symbol where it has a name."""

    path: Path
    span: tuple[int, int]
    name: str = ""


@dataclass(frozen=True, slots=True)
class AttachedProblems:
    """The problems that the editor shows, of a file or of all."""

    path: Path | None = None


@dataclass(frozen=True, slots=True)
class AttachedText:
    name: str
    text: str


Attachment: TypeAlias = AttachedFile | AttachedFolder | AttachedRange | AttachedProblems | AttachedText
