"""What a task sees over the disk: unsaved buffers, and over those what is staged."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from kaaj_agent.staging import Staging
from kaaj_agent.world import Snapshot

Source: TypeAlias = Snapshot | Staging


def overlay(source: Source) -> Mapping[Path, str | None]:
    """The texts that differ from (or may differ from) the disk; None where the file is gone in this view."""
    if isinstance(source, Snapshot):
        return {path: document.text for path, document in source.buffers.items()}
    texts: dict[Path, str | None] = {path: document.text for path, document in source.snapshot.buffers.items()}
    for file in source.files:
        texts[file.path] = None
    for file in source.files:
        if file.after is not None:
            texts[file.target] = file.after
    return texts
