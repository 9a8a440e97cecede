"""Random replies in every form, any chunking, any damage: what is executed is what was meant, or nothing.

    python tests/bench/dialect_fuzz.py [--cases 1000000] [--seed 1]

A case is one to three random calls whose values hold code, JSON, XML and the forms' own tags, written natively, as
Qwen3-Coder's XML, as Hermes JSON or in a fence, cut into random chunks and perhaps damaged: the end cut off (with or
without a finish reason that says so), an opener or a closer lost, numbers as strings, arguments encoded twice, CRLF.
Complete calls must be read exactly or be refused, damaged ones repaired only into what was meant; of a reply that says
it was cut nothing may be executed. A native call whose arguments are all lost is one without arguments. Values that
hold the form's own tags may make a reply that reads equally well in another way; those are counted apart. Prints the
counts; exits 1 on a miss.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from typing import Any, Final

from kaaj_agent.model.dialects import ReplyReader
from kaaj_agent.model.dialects.reader import Outcome
from kaaj_agent.model.wire import call_text
from kaaj_agent.ports import CallReady, ToolCall, ToolSpec

TEXT: Final = {"type": "string"}
TOOLS: Final = tuple(
    ToolSpec(name, "", {"type": "object", "properties": properties, "required": list(properties)[:needed]})
    for name, needed, properties in (
        ("read", 1, {"path": TEXT, "start": {"type": "integer"}, "end": {"type": "integer"}}),
        ("edit", 3, {"path": TEXT, "old": TEXT, "new": TEXT}),
        ("write", 2, {"path": TEXT, "content": TEXT}),
        ("list", 0, {"path": TEXT, "deep": {"type": "boolean"}}),
    )
)
TAGS: Final = (
    *("<tool_call>", "</tool_call>", "<function=read>", "</function>", "<parameter=path>", "</parameter>"),
    *("<parameter=new>", "```", '{"name": "read", "arguments": {}}'),
)
PIECES: Final = (
    *("def f(x):\n    return x < 3\n", '{"a": [1, "b"]}', "<div class='x'>&lt;</div>", "\n", "\r\n", "\\", '"', "'''"),
    *("ä€😀", " ", "\t", "x = 1", "#", "{", "}", "[", "</", "<", "&amp;", "\\n", "\\u00e4", "%s", "$HOME", "`a`", ""),
)
PROSE: Final = ("", "", "Let me look.\n\n", "I will mend `total` in cart.py:\n", "1. First, a < b.\n\n")
FORMS: Final = ("native", "native", "xml", "xml", "hermes", "fenced")
DAMAGES: Final = (
    *("", "", "", "cut", "cut, told", "cut, told", "opener lost", "closer lost", "as strings", "encoded twice", "crlf"),
)


def value(draw: random.Random, *, tags: bool) -> str:
    pool = PIECES + TAGS if tags else PIECES
    return "".join(draw.choice(pool) for _ in range(draw.randrange(6)))


def a_call(draw: random.Random, *, tags: bool) -> ToolCall:
    name = draw.choice(("read", "edit", "write", "list"))
    path = draw.choice(("src/a.py", "b c.ts", "ü.md"))
    match name:
        case "read":
            return ToolCall("", name, {"path": path, "start": draw.randrange(9), "end": draw.randrange(99)})
        case "edit":
            values = {"old": value(draw, tags=tags), "new": value(draw, tags=tags)}
            return ToolCall("", name, {"path": path, **values})
        case "write":
            return ToolCall("", name, {"path": path, "content": value(draw, tags=tags)})
        case _:
            return ToolCall("", name, {"path": path, "deep": draw.random() < 0.5})


def written(draw: random.Random, calls: list[ToolCall], form: str, damage: str) -> str:
    """The content of a reply that makes the calls in that form."""
    parts: list[str] = []
    for call in calls:
        arguments: dict[str, Any] = dict(call.arguments)
        if damage == "as strings":
            arguments = {key: one if isinstance(one, str) else json.dumps(one) for key, one in arguments.items()}
        given: Any = json.dumps(arguments) if damage == "encoded twice" else arguments
        body = json.dumps({"name": call.name, "arguments": given}, ensure_ascii=draw.random() < 0.5)
        if form == "xml":
            parts.append(call_text(ToolCall("", call.name, arguments)))
        elif form == "hermes":
            parts.append(f"<tool_call>\n{body}\n</tool_call>")
        else:
            parts.append(f"```json\n{body}\n```")
    if damage == "opener lost":
        parts[0] = parts[0].removeprefix("<tool_call>\n")
    elif damage == "closer lost" and form == "xml":
        closer = draw.choice(("</parameter>\n</function>", "</function>\n"))
        last = parts[-1].rfind(closer)
        kept = "</function>" if closer.startswith("</parameter") else ""
        parts[-1] = parts[-1][:last] + kept + parts[-1][last + len(closer) :] if last >= 0 else parts[-1]
    text = draw.choice(PROSE) + "\n".join(parts)
    return text.replace("\r\n", "\n").replace("\n", "\r\n") if damage == "crlf" and form == "xml" else text


def chunks(draw: random.Random, text: str) -> list[str]:
    cuts = sorted(draw.randrange(len(text) + 1) for _ in range(draw.choice((0, 1, 3, 12))))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def read(draw: random.Random, calls: list[ToolCall], form: str, damage: str) -> tuple[Outcome, list[ToolCall], bool]:
    """What was read, what was announced on the way, and whether the reply's end is missing."""
    reader = ReplyReader(TOOLS, new_id=lambda: "id")
    announced: list[ToolCall] = []
    cut = damage.startswith("cut")
    finish = None if damage == "cut, told" else "stop"
    if finish is None and draw.random() < 0.5:
        finish = "length"
    if form == "native":
        pieces: list[tuple[int, str, str]] = []
        for index, call in enumerate(calls):
            raw = json.dumps(dict(call.arguments))
            pieces.append((index, call.name, ""))
            pieces += [
                (index, "", piece) for piece in chunks(draw, json.dumps(raw) if damage == "encoded twice" else raw)
            ]
        if cut:
            index, name, piece = pieces[-1]
            pieces = [*pieces[:-1], (index, name, piece[: draw.randrange(len(piece) + 1)])][
                : 1 + draw.randrange(len(pieces))
            ]
        for index, name, piece in pieces:
            found = reader.feed_native(index, f"c{index}" if name else "", name, piece)
            announced += [delta.call for delta in found if isinstance(delta, CallReady)]
    else:
        text = written(draw, calls, form, damage)
        if cut:
            text = text[: draw.randrange(len(text))]
        for chunk in chunks(draw, text):
            announced += [delta.call for delta in reader.feed(chunk) if isinstance(delta, CallReady)]
    return reader.finish(finish), announced, cut


def plain(calls: list[ToolCall]) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, dict(call.arguments)) for call in calls]


def verdict(draw: random.Random) -> tuple[str, str]:
    """The class of a random case, and how it went."""
    tags = draw.random() < 0.3
    calls = [a_call(draw, tags=tags) for _ in range(draw.choice((1, 1, 2, 3)))]
    form, damage = draw.choice(FORMS), draw.choice(DAMAGES)
    if damage in ("opener lost", "closer lost", "crlf") and form in ("native", "fenced"):
        damage = ""
    if damage == "opener lost" and form == "hermes" and len(calls) > 1:
        damage = ""
    if damage == "encoded twice" and form == "xml":
        damage = ""
    if damage == "crlf":
        calls = [
            ToolCall("", call.name, {k: _crlf(v) for k, v in call.arguments.items()}) if form == "xml" else call
            for call in calls
        ]
    outcome, announced, cut = read(draw, calls, form, damage)
    done = plain([call for call in outcome.calls if not call.error])
    meant = plain(calls)
    kind = damage or "complete"
    ambiguous = tags and form != "native"
    if kind == "cut, told":
        return kind, "nothing executed" if not done else "WRONG"
    if cut:  # it ended as if it were complete: what is executed must be whole calls, as they were meant
        right = done == meant[: len(done)]
        if not right and form == "native" and [*done[:-1], ("list", {})] == done:
            return kind, "a call without arguments"  # servers leave `{}` out, so that is what it looks like
        return kind, ("whole calls or nothing" if right else "another reading" if ambiguous else "WRONG")
    if any(call.error for call in outcome.calls):
        return kind, "refused"
    if done == meant:
        told = plain(announced)
        if told != meant[: len(told)] and not ambiguous:
            return kind, "WRONG"
        return kind, "exact"
    if not done:
        return kind, "taken for prose" if kind != "complete" or ambiguous else "WRONG"
    return kind, "another reading" if ambiguous else "WRONG"


def _crlf(one: Any) -> Any:
    return one.replace("\r\n", "\n").replace("\n", "\r\n") if isinstance(one, str) else one


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts: Counter[tuple[str, str]] = Counter()
    began = time.perf_counter()
    for number in range(options.cases):
        draw = random.Random(options.seed * 1_000_000_007 + number)  # noqa: S311 - no secret
        found = verdict(draw)
        if found[1] == "WRONG" and counts[found] < 5:
            print(f"case {number}: {found[0]}")
        counts[found] += 1
    for (kind, how), count in sorted(counts.items()):
        print(f"{kind:16} {how:24} {count:9,}")
    wrong = sum(count for (_, how), count in counts.items() if how == "WRONG")
    print(f"{options.cases:,} cases in {time.perf_counter() - began:.0f} s; {wrong:,} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
