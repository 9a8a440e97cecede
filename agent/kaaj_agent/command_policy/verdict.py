"""What is to become of a command: allowed, asked or refused, with the reasons in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from kaaj_agent.command_policy.findings import Findings
from kaaj_agent.command_policy.places import Places
from kaaj_agent.command_policy.reading import Reader
from kaaj_agent.command_policy.shown import SHOWN_MAX
from kaaj_agent.command_policy.words import Variables

Verdict: TypeAlias = Literal["allowed", "asked", "refused"]
Where: TypeAlias = Literal["sandbox", "network", "unboxed"]
"""How a command would run: in the sandbox, in it with the network, or with the user's own rights."""

_PROGRAMS_SHOWN: Final = 12
TOO_LONG: Final = (
    f"It is over {SHOWN_MAX:,} characters, too long to be shown to a person whole; put it into a file with `write`."
)


@dataclass(frozen=True, slots=True)
class Judgement:
    """`where` the command is to run if it may, why it is asked or refused, and the programs that it runs."""

    verdict: Verdict
    where: Where
    reasons: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


def read(
    command: str, roots: Sequence[Path], home: Path, *, start_in: Path | None = None, originals: Sequence[Path] = ()
) -> Findings:
    """What is found in a command that would run in `start_in`, else in the first root. `originals` as in Places."""
    found = Findings()
    places = Places.of(roots, home, originals)
    base = str(start_in or roots[0]) if roots or start_in else None
    # The shell takes an escaped line end away before it sees words; the parser takes it for a blank.
    for text in dict.fromkeys((command, command.replace("\\\n", ""))):
        variables = Variables(environment={"HOME": str(home), "TMPDIR": "/tmp"})  # noqa: S108 - the sandbox's own
        Reader(found, places, variables, base).script(text)
    return found


def judge(found: Findings, command: str, *, sandboxed: bool, network: bool) -> Judgement:
    """The verdict on what was found. `network`: the person wants to be asked where a command needs the network."""
    programs = tuple(found.programs[:_PROGRAMS_SHOWN])
    if found.refusals:
        return Judgement("refused", "sandbox", tuple(found.refusals), programs)
    reasons = [*found.doubts]
    where: Where = "sandbox" if sandboxed else "unboxed"
    if sandboxed and network and found.network:
        where = "network"
        reasons.append(f"It wants the network: {', '.join(f'`{name}`' for name in found.network)}.")
    if not sandboxed:
        reasons += found.remarks
    if where == "sandbox" and not reasons:
        return Judgement("allowed", where, (), programs)
    if len(command) > SHOWN_MAX:
        return Judgement("refused", where, (TOO_LONG,), programs)
    return Judgement("asked", where, tuple(reasons), programs)
