"""What a command does in a shadow and no change can carry: a change holds texts, and neither modes nor links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kaaj_agent.world import Folders

TOLD: Final = 5
"""Names that one sentence holds."""

Kind: TypeAlias = Literal[
    "made executable", "no longer executable", "link removed", "link made or changed", "no longer a folder"
]


@dataclass(frozen=True, slots=True)
class ShadowLoss:
    """One place of the workspace, and what a command did there."""

    path: Path
    kind: Kind


def sentence(losses: Sequence[ShadowLoss], folders: Folders) -> str:
    """All of them in one sentence, for people and models; empty where there are none."""
    if not losses:
        return ""
    names = [f"{folders.name_of(loss.path)} ({loss.kind})" for loss in losses[:TOLD]]
    if len(losses) > TOLD:
        names.append(f"and {len(losses) - TOLD} more")
    return f"Left out of what a command did, as a change holds nothing but texts: {', '.join(names)}."
