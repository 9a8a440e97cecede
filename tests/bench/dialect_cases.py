"""Replies whose meaning is known before they are written: the cases of the dialect fuzz.

A case is made by a seeded generator: the calls that are meant, the form in which they are written, how the writer
spells that form, one damage and its place, and where the stream is split. `write` makes the reply from it without a
word of the code that reads replies, and says where in it each call begins and is whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, cast

from kaaj_agent.ports import ToolSpec

TEXT: Final = {"type": "string"}
ITEM: Final = {
    "type": "object",
    "properties": {"title": TEXT, "status": {"type": "string", "enum": ["open", "running", "done"]}},
    "required": ["title"],
}
TOOLS: Final = tuple(
    ToolSpec(name, "", {"type": "object", "properties": properties, "required": list(properties)[:needed]})
    for name, needed, properties in (
        ("read", 1, {"path": TEXT, "start": {"type": "integer"}, "end": {"type": "integer"}}),
        ("edit", 3, {"path": TEXT, "old": TEXT, "new": TEXT}),
        ("write", 2, {"path": TEXT, "content": TEXT}),
        ("list", 0, {"path": TEXT, "deep": {"type": "boolean"}}),
        ("run", 1, {"command": TEXT, "seconds": {"type": "number"}}),
        ("todo", 1, {"items": {"type": "array", "items": ITEM}}),
    )
)

Form: TypeAlias = Literal["native", "xml", "xml in a fence", "hermes", "fenced json", "bare json"]
XML: Final = ("xml", "xml in a fence")
FORMS: Final[tuple[Form, ...]] = ("native", "xml", "xml in a fence", "hermes", "fenced json", "bare json")
WEIGHTS: Final = (25, 35, 5, 20, 10, 5)

MUST: Final[dict[str, tuple[Form, ...]]] = {
    "none": FORMS,
    "opener lost": ("xml", "hermes"),
    "all openers lost": ("xml",),
    "</parameter> lost": XML,
    "all </parameter> lost": XML,
    "</function> lost": XML,
    "all but </tool_call> lost": XML,
    "inner </tool_call> lost": ("xml",),
    "closed twice": ("xml",),
    "as strings": FORMS,
    "encoded twice": ("native", "hermes", "fenced json", "bare json"),
    "raw line ends": ("native", "hermes", "fenced json", "bare json"),
    "half characters": FORMS,
    "also in the text": ("native",),
}
"""What is mended, and in which forms: such a reply is read exactly, unless values hold tags of the form."""
MAY: Final[dict[str, tuple[Form, ...]]] = {
    "a mark lost": FORMS[1:],
    "a mark twice": FORMS[1:],
    "a mark of two lost": FORMS[1:],
    "a sign lost": FORMS,
    "a sign twice": FORMS,
    "a sign swapped": FORMS,
    "a key twice": ("native", "hermes", "fenced json", "bare json"),
    "a comma too much": ("native", "hermes", "fenced json", "bare json"),
    "words behind": ("xml", "hermes", "bare json"),
}
"""What is mended or refused, as it happens; never read as something that was not meant."""
CUT: Final = ("cut, told", "cut, as if whole")
DAMAGES: Final = (*MUST, *MAY, *CUT)

TAGS: Final = (
    *("<tool_call>", "</tool_call>", "<function=read>", "</function>", "<parameter=path>", "</parameter>"),
    *("<parameter=new>", "<parameter=content>", "\n</parameter>\n</function>\n</tool_call>\n"),
    *("</parameter>\n<parameter=new>\n", "<tool_call>\n<function=run>\n<parameter=command>\nrm -rf .\n"),
    *("<tool", "</param", "<function=", "< / parameter >", '<parameter name="old">'),
)
LOOKALIKES: Final = (
    *("```", "~~~\n", "```json\n", '{"name": "read", "arguments": {"path": "x"}}', '{"name": "run"', "<think>"),
    *('{"a": [1, "b"]}', "[]", "{}", "null", "None", "true", "False", "12", "-1.5e3", '"x"', "tool_call", "<tools>"),
)
PIECES: Final = (
    *("def f(x):\n    return x < 3\n", "<div class='x'>&lt;</div>", "<a href='#'>", "</b>", "<?xml version='1.0'?>"),
    *("\n", "\n\n", "\r\n", "\r", "\\", '"', "'", "'''", '"""', "ä€😀", "e\u0301", "\u202e", "\u2028", "\x85", "\x0c"),
    *(" ", "\t", "    ", "x = 1", "# ", "{", "}", "[", "]", ",", ":", "</", "<", ">", "&amp;", "\\n", "\\u00e4", "\\"),
    *("%s", "$HOME", "`a`", "a/b", "0", "-", "=", "\ufeff", "\x00", "🏳️‍🌈", "中文"),
)
PATHS: Final = ("src/a.py", "b c.ts", "ü.md", "-", "中/文.py", "123", "true", "a\\b", "x&y<z", "'q'.txt")
SPLITS: Final = (0, 1, 1, 2, 2, 3, 4, 4, 6, 12, 40)
PROSE: Final = (
    *("", "", "", "Let me look.\n\n", "I will mend `total` in cart.py:\n", "1. First, a < b.\n\n", "中文。\n"),
    *("A call is written with `<tool_call>` and `<function=read>`.\n\n", "if a <b and c> d:\n    pass\n\n"),
    *("```python\nx = {'name': 1}\n```\n", "So: {1, 2} and [3].\n", "He said <b>no</b>.\n"),
)


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Style:
    """How the writer spells a form; all of these are good spellings of it."""

    end: str = "\n"
    layout: Literal["lines", "one line", "indented"] = "lines"
    names: Literal["=", "quoted", "name="] = "="
    ascii: bool = False
    keys: Literal["arguments", "parameters", "function", "type"] = "arguments"
    one_list: bool = False
    numbering: Literal["index", "none", "all zero", "named in each", "objects", "woven"] = "index"
    boolean: Literal["json", "python"] = "json"


@dataclass(frozen=True, slots=True)
class Case:
    """`at` is the damage's place and `cuts` the stream's splits, each as a share of what there is to choose from."""

    calls: tuple[Call, ...]
    form: Form
    style: Style = Style()
    damage: str = "none"
    at: tuple[float, float] = (0.0, 0.0)
    before: str = ""
    thought: str = ""
    cuts: tuple[float, ...] = ()
    told: str | None = "stop"

    @property
    def tags(self) -> bool:
        """Whether a value holds what could be the form's own tags, so that another reading may be as good."""
        texts = ("".join(one.split()) for call in self.calls for one in strings(call.arguments))
        return self.form in XML and any(mark in one for one in texts for mark in ("tool", "function", "param"))


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a native call."""

    index: int | None
    id: str
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Written:
    """A reply: its content, the pieces of its native calls. `spans`: where each call begins and where it is whole."""

    text: str = ""
    pieces: tuple[Piece, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    fits: bool = True  # the damage found its place
    whole: int = 0  # native calls of which everything came


def strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in cast("dict[str, object]", value).values():
            yield from strings(one)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            yield from strings(one)


# --- the generator --------------------------------------------------------------------------------------------------


def a_case(draw: random.Random) -> Case:
    form = draw.choices(FORMS, WEIGHTS)[0]
    fitting = [damage for damage, forms in (MUST | MAY).items() if form in forms and damage != "none"]
    drawn = draw.random()
    damage = "none" if drawn < 0.3 else draw.choice(CUT) if drawn < 0.5 else draw.choice(fitting)
    risky = draw.random() < 0.3
    calls = tuple(_a_call(draw, risky=risky) for _ in range(draw.choice((1, 1, 1, 2, 2, 3))))
    style = Style(
        end="\r\n" if draw.random() < 0.15 else "\n",
        layout=draw.choices(("lines", "one line", "indented"), (8, 1, 1))[0],
        names=draw.choices(("=", "quoted", "name="), (8, 1, 1))[0],
        ascii=draw.random() < 0.3,
        keys=draw.choices(("arguments", "parameters", "function", "type"), (7, 1, 1, 1))[0],
        one_list=draw.random() < 0.15,
        numbering=draw.choices(("index", "none", "all zero", "named in each", "objects", "woven"), (5, 1, 1, 1, 1, 1))[
            0
        ],
        boolean="python" if draw.random() < 0.2 else "json",
    )
    told: str | None = "stop"
    if damage == "cut, told":
        told = draw.choice((None, "length"))
    elif form == "native":
        told = draw.choice(("tool_calls", "stop", "function_call"))
    thought = draw.choice(("I could <tool_call>", "hm\n", '{"name": "run", "arguments": {"command": "x"}}', XML_SAID))
    case = Case(
        calls,
        form,
        style,
        damage,
        (draw.random(), draw.random()),
        draw.choice(PROSE),
        f"<think>{thought}</think>\n\n" if draw.random() < 0.03 else "",
        tuple(draw.random() for _ in range(draw.choice(SPLITS))),
        told,
    )
    return fitted(case)


XML_SAID: Final = "<tool_call>\n<function=run>\n<parameter=command>\nrm -rf .\n</parameter>\n</function>\n</tool_call>"


def fitted(case: Case) -> Case:
    """The case without combinations that no writer can express."""
    style = case.style
    if case.form in XML:
        trimmed = style.layout != "lines"
        calls = tuple(
            Call(call.name, {key: _ended(one, style.end, trimmed=trimmed) for key, one in call.arguments.items()})
            for call in case.calls
        )
        case = replace(case, calls=calls)
        if trimmed and case.damage in ("</parameter> lost", "all </parameter> lost", "all but </tool_call> lost"):
            case = replace(case, style=replace(style, layout="lines"))  # where a value ends is not seen on one line
    if case.damage in ("opener lost", "inner </tool_call> lost") and style.layout == "one line":
        case = replace(case, style=replace(case.style, layout="lines"))  # nor where a call begins
    if case.form == "bare json":
        before = case.before if case.before in ("", "Let me look.\n\n", "中文。\n") else ""
        case = replace(case, before=before, style=replace(style, end="\n"))
        if case.style.keys in ("function", "type") or case.style.one_list:
            case = replace(case, style=replace(case.style, keys="arguments", one_list=False))
        if case.damage != "none" and len(case.calls) > 1:
            case = replace(case, calls=case.calls[:1])
    if case.form == "native":
        case = replace(case, thought="")
        if case.damage in CUT or case.damage in MAY or case.style.numbering == "objects":
            odd = case.style.numbering in ("woven", "objects")
            case = (
                replace(case, style=replace(case.style, numbering="index")) if odd and case.damage != "none" else case
            )
    return case


def _ended(value: Any, end: str, *, trimmed: bool) -> Any:
    if not isinstance(value, str):
        return value
    if end == "\r\n":
        value = value.replace("\r\n", "\n").replace("\r", "").replace("\n", "\r\n")
    return value.strip("\r\n") if trimmed else value


def _a_value(draw: random.Random, *, risky: bool) -> str:
    if draw.random() < 0.15:
        return draw.choice(LOOKALIKES)
    pool: Sequence[str] = (*PIECES, *LOOKALIKES, *TAGS) if risky else PIECES
    return "".join(draw.choice(pool) for _ in range(draw.choice((0, 1, 2, 3, 5, 8, 20))))


def _a_call(draw: random.Random, *, risky: bool) -> Call:
    name = draw.choice(("read", "edit", "edit", "write", "write", "list", "run", "todo"))
    path = draw.choice(PATHS)

    def text() -> str:
        return _a_value(draw, risky=risky)

    match name:
        case "read":
            made: dict[str, Any] = {"path": path, "start": draw.randrange(-9, 9), "end": draw.randrange(10**12)}
            return Call(name, {key: made[key] for key in list(made)[: draw.randrange(1, 4)]})
        case "edit":
            keys = ["path", "old", "new"]
            draw.shuffle(keys)
            return Call(name, {key: path if key == "path" else text() for key in keys})
        case "write":
            return Call(name, {"path": path, "content": text()})
        case "list":
            made = {"path": path, "deep": draw.random() < 0.5}
            return Call(name, {key: made[key] for key in list(made)[: draw.randrange(3)]})
        case "run":
            made = {"command": text(), "seconds": draw.choice((1, 0.5, -2.25, 120))}
            return Call(name, {key: made[key] for key in list(made)[: draw.randrange(1, 3)]})
        case _:
            items = [
                {"title": text(), "status": draw.choice(("open", "running", "done"))} for _ in range(draw.randrange(3))
            ]
            return Call(name, {"items": items})
