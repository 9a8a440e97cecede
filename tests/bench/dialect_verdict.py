"""How the reader dealt with a reply whose meaning is known.

The judge never asks the reader what a reply means. It compares with the calls that were meant, and where a value holds
the form's own tags, it writes down what was executed and looks whether the very same reply comes of it: then the reply
means the one as well as the other, and no reader could tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tests.bench.dialect_cases import CUT, MUST, TOOLS, XML, Call, Case, Written, fitted
from tests.bench.dialect_writer import split, write

from kaaj_agent.model.dialects import Outcome, ReplyReader
from kaaj_agent.ports import CallReady, TextDelta, ToolCall

WRONG: Final = "WRONG"


@dataclass(frozen=True, slots=True)
class Read:
    """What one reading gave: the outcome, the prose as it was handed out, the calls that were announced."""

    outcome: Outcome
    given: str
    announced: tuple[ToolCall, ...]

    @property
    def done(self) -> list[str]:
        """What would be executed, in a spelling in which 1, 1.0, True and "1" differ."""
        return [spelled(call.name, call.arguments) for call in self.outcome.calls if not call.error]


@dataclass(frozen=True, slots=True)
class Verdict:
    how: str
    why: str = ""


def spelled(name: str, arguments: Any) -> str:
    return name + json.dumps(dict(arguments), sort_keys=True)


def read(written: Written, chunks: Sequence[str], told: str | None) -> Read:
    reader = ReplyReader(TOOLS, new_id=lambda: "id")
    deltas = [delta for chunk in chunks for delta in reader.feed(chunk)]
    for piece in written.pieces:
        deltas += reader.feed_native(piece.index, piece.id, piece.name, piece.arguments)
    outcome = reader.finish(told)
    given = "".join([delta.text for delta in deltas if isinstance(delta, TextDelta)] + [outcome.rest])
    return Read(outcome, given, tuple(delta.call for delta in deltas if isinstance(delta, CallReady)))


def judge(case: Case) -> Verdict:
    """The verdict on a case: `how` it went, WRONG with a reason where it did not."""
    written = write(case)
    if not written.fits:
        return Verdict("does not apply")
    try:
        split_read = read(written, split(written.text, case.cuts, half=case.damage == "half characters"), case.told)
        whole = split_read if not case.cuts else read(written, [written.text], case.told)
    except Exception as error:  # noqa: BLE001 - whatever the reader raises is what is looked for
        return Verdict(WRONG, f"raised {type(error).__name__}: {error}")
    if (split_read.outcome.calls, split_read.outcome.text, split_read.outcome.cut) != (
        whole.outcome.calls,
        whole.outcome.text,
        whole.outcome.cut,
    ):
        return Verdict(WRONG, "another chunking was read otherwise")
    if split_read.given != whole.given or whole.given != whole.outcome.text:
        return Verdict(WRONG, "the prose was not handed out as it was read")
    return judged(case, written, split_read)


def judged(case: Case, written: Written, found: Read) -> Verdict:
    """The verdict on what was read, however it came to the reader."""
    done = found.done
    meant = [spelled(call.name, call.arguments) for call in case.calls]
    errors = [call.error for call in found.outcome.calls if call.error]
    if case.damage == "cut, told":
        return Verdict(WRONG, "executed although the reply was cut") if done else Verdict("nothing executed")
    if case.damage in CUT:
        return _cut(case, written, found)
    if done == meant and not errors:
        return _exact(case, found)
    if done and _explained(case, found, written):
        return Verdict("as good a reading")
    if case.damage in MUST and not case.tags:
        return Verdict(WRONG, f"not read as it was meant: {errors or done}")
    if not _in_order(done, meant):
        return Verdict(WRONG, f"executed what was not meant: {done}")
    if errors:
        return Verdict("refused")
    if done and case.form in ("xml", "hermes"):
        return Verdict(WRONG, "a call was dropped without a word")
    return Verdict("taken for prose")


def _exact(case: Case, found: Read) -> Verdict:
    meant = [spelled(call.name, call.arguments) for call in case.calls]
    said = case.before.replace("\n", case.style.end)
    if case.damage in MUST and found.outcome.text.rstrip() != said.rstrip():
        return Verdict(WRONG, f"the prose is {found.outcome.text!r}")
    told = [spelled(call.name, call.arguments) for call in found.announced]
    if not case.tags and told != meant[: len(told)]:
        return Verdict(WRONG, f"announced {told}")
    return Verdict("exact")


def _cut(case: Case, written: Written, found: Read) -> Verdict:
    """The reply ended within, as if it were whole."""
    done = found.done
    meant = [spelled(call.name, call.arguments) for call in case.calls]
    if case.form == "native":
        if done in ([], meant[: written.whole]):
            return Verdict("whole calls or nothing")
        bare = found.outcome.calls[-1]
        if done[:-1] == meant[: written.whole] and bare.name == "list" and not bare.arguments:
            return Verdict("a call without arguments")  # servers leave `{}` out: that is what it looks like
        return Verdict(WRONG, f"executed {done}")
    begun = [number for number, (begin, _) in enumerate(written.spans) if begin + 6 <= len(written.text)]
    whole = [number for number, (_, end) in enumerate(written.spans) if end <= len(written.text)]
    if not done:
        told = found.outcome.cut or any(call.error for call in found.outcome.calls)
        silent = begun and not told and case.form in ("xml", "hermes") and not case.thought
        return Verdict(WRONG, "a call that had begun was taken for a final answer") if silent else Verdict("nothing")
    if done == meant[: len(done)] and len(done) <= len(whole):
        inside = len(begun) > len(whole) and case.form not in ("fenced json", "xml in a fence", "bare json")
        if inside and not case.tags:
            return Verdict(WRONG, "executed the calls before one that was cut")
        return Verdict("whole calls")
    if _explained(case, found, written):
        return Verdict("as good a reading")
    return Verdict(WRONG, f"executed {done}")


def _in_order(some: list[str], of: list[str]) -> bool:
    """Whether these stand among those in that order."""
    left = iter(of)
    return all(one in left for one in some)


def _explained(case: Case, found: Read, written: Written) -> bool:
    """Whether a writer of what was executed could have sent this very reply: whole, or, where values hold tags, damaged
    in the same way."""
    if case.form not in XML:
        return False
    calls = [Call(call.name, dict(call.arguments)) for call in found.outcome.calls if not call.error]
    bare = case.tags and "> lost" in case.damage
    seen = _skeleton(written.text, bare=bare)
    if len(calls) < len(found.outcome.calls):  # of some calls a part of the reply is enough, where it was not meant so
        alone = [replace(case, calls=(call,), damage="none", before="", form="xml") for call in calls]
        strange = [one for one in alone if one.calls[0] not in case.calls]
        return case.tags and all(_skeleton(write(one).text, bare=bare) in seen for one in strange)
    damages: set[str] = {case.damage, "</parameter> lost"} if case.tags else set()
    other = replace(case, calls=tuple(calls))
    if case.damage in CUT and case.tags:  # a call, and words behind it
        seen, whole = (_skeleton(text, bare=True) for text in (written.text, write(replace(other, damage="none")).text))
        return seen.startswith(whole) and not re.search(
            r"</?(tool_call|function|parameter)(=[\w.:-]+)?>", seen[len(whole) :]
        )
    if any(_skeleton(text, bare=bare) == seen for text in _could_send(other, damages)):
        return True
    return case.tags and _stand_in_a_row(case, calls, written)


def _stand_in_a_row(case: Case, calls: Sequence[Call], written: Written) -> bool:
    """Whether the reply holds each call as a writer writes it, one behind another, and between them no other's tags."""
    seen, at = _marks_off(written.text), 0
    for call in calls:
        alone = _marks_off(write(replace(case, calls=(call,), damage="none", before="", thought="", form="xml")).text)
        found = seen.find(alone, at)
        if found < 0 or re.search(r"<(function|parameter)=", seen[at:found]):
            return False
        at = found + len(alone)
    return not re.search(r"<(function|parameter)=", seen[at:])


def _marks_off(text: str) -> str:
    return re.sub(r"</?tool_call>|</(function|parameter)>", "", _skeleton(text, bare=False))


def _could_send(case: Case, damages: set[str]) -> Iterator[str]:
    yield write(fitted(replace(case, damage="none"))).text
    if not case.tags:
        return
    for damage in sorted(damages | {"opener lost", "</function> lost", "inner </tool_call> lost"}):
        places = 60 if damage in MUST else 0
        yield from (write(replace(case, damage=damage, at=((at + 0.5) / places, 0.0))).text for at in range(places))


def _skeleton(text: str, *, bare: bool) -> str:
    """The text without white space, the ways of spelling a tag's name, and the closers that may lack."""
    close = "".join(text.split()).replace("parametername=", "parameter=").replace("functionname=", "function=")
    plain = re.sub(r"<(parameter|function)=[\"']?([\w.:-]+)[\"']?>", r"<\1=\2>", close)
    if bare:
        plain = plain.replace("</parameter>", "").replace("</function>", "")
        plain = plain.replace("</tool_call></tool_call>", "</tool_call>")
    return plain
