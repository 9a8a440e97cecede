"""The writer of the dialect fuzz: a case as the reply that means it, with the damage done to it.

It shares no word with the code that reads replies, and knows where in the reply each call begins and is whole.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final, TypeAlias

from tests.bench.dialect_cases import CUT, MAY, XML, Call, Case, Piece, Style, Written

_Token: TypeAlias = "tuple[str, str]"
"""What it is and its text. Kinds: prose, value, gap (white space), and the marks."""


def write(case: Case) -> Written:
    return _native(case) if case.form == "native" else _content(case)


def _content(case: Case) -> Written:
    groups = [_xml(call, case) for call in case.calls] if case.form in XML else _json_groups(case)
    fits = True
    if case.damage not in ("none", "as strings", "encoded twice", "raw line ends", "half characters", *CUT):
        groups, fits = _damaged(groups, case)
    text = case.thought + _lines(case.before, case.style.end)
    spans: list[tuple[int, int]] = []
    for number, group in enumerate(groups):
        begin = len(text)
        if number and not (case.style.layout == "one line" and case.form in ("xml", "hermes")):
            text += case.style.end
            begin = len(text)
        whole = "".join(one for _, one in group)
        text += whole
        spans += [(begin, len(text) - len(whole) + len(whole.rstrip()))] * (
            len(case.calls) if len(groups) < len(case.calls) else 1
        )
    if case.damage == "words behind":
        text += "\n\nThat is what I did."
    if case.damage in CUT:
        begin = len(case.thought)
        at = begin + int(case.at[0] * (len(text) - begin))
        text = text[:at]
    return Written(text, spans=tuple(spans), fits=fits)


def _lines(text: str, end: str) -> str:
    return text.replace("\n", end)


def _xml(call: Call, case: Case) -> list[_Token]:
    style = case.style
    gap = {"lines": style.end, "one line": "", "indented": f" {style.end}  "}[style.layout]
    near = {"lines": style.end, "one line": "", "indented": ""}[style.layout]
    tokens: list[_Token] = [
        ("open", "<tool_call>"),
        ("gap", gap),
        ("function", _named("function", call.name, style)),
        ("gap", gap),
    ]
    for key, value in call.arguments.items():
        tokens += [("key", _named("parameter", key, style)), ("gap", near), ("value", _raw(value, case))]
        tokens += [("gap", near), ("/parameter", "</parameter>"), ("gap", gap)]
    tokens += [("/function", "</function>"), ("gap", gap), ("close", "</tool_call>")]
    if case.form == "xml in a fence":
        tokens = [("fence", "```xml"), ("gap", style.end), *tokens, ("gap", style.end), ("/fence", "```")]
    return tokens


def _named(tag: str, name: str, style: Style) -> str:
    return {"=": f"<{tag}={name}>", "quoted": f'<{tag}="{name}">', "name=": f"<{tag} name='{name}'>"}[style.names]


def _raw(value: Any, case: Case) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) and (case.style.boolean == "python" or case.damage == "as strings"):
        return str(value)
    return json.dumps(value, ensure_ascii=case.style.ascii)


def _json_groups(case: Case) -> list[list[_Token]]:
    style, listed = case.style, case.style.one_list and len(case.calls) > 1
    objects = [_object(call, case) for call in case.calls]
    if listed:
        one: list[_Token] = [("sign", "[")]
        for number, made in enumerate(objects):
            one += [("sign", ", ")] * (number > 0) + made
        objects = [[*one, ("sign", "]")]]
    gap = style.end if style.layout == "lines" else "" if style.layout == "one line" else " "
    match case.form:
        case "hermes":
            return [
                [("open", "<tool_call>"), ("gap", gap), *one, ("gap", gap), ("close", "</tool_call>")]
                for one in objects
            ]
        case "fenced json":
            fence = "```json" if style.numbering != "none" else "```"
            return [
                [("fence", fence), ("gap", style.end), *one, ("gap", style.end), ("/fence", "```")] for one in objects
            ]
        case _:
            return objects


def _object(call: Call, case: Case) -> list[_Token]:
    key = "parameters" if case.style.keys == "parameters" else "arguments"
    given: Any = arguments_of(call, case)
    members: dict[str, Any] = {"name": call.name, key: given}
    if case.style.keys == "function":
        members = {"type": "function", "function": members}
    elif case.style.keys == "type":
        members = {"id": "c1", "type": "function", **members}
    return _json_tokens(members, case)


def arguments_of(call: Call, case: Case) -> Any:
    """The arguments as that writer hands them to JSON."""
    given: Any = dict(call.arguments)
    if case.damage == "as strings":
        given = {key: one if isinstance(one, str) else _as_string(one) for key, one in given.items()}
    elif case.style.boolean == "python":
        given = {key: str(one) if isinstance(one, bool) else one for key, one in given.items()}
    return json.dumps(given, ensure_ascii=case.style.ascii) if case.damage == "encoded twice" else given


def _as_string(one: Any) -> str:
    return str(one) if isinstance(one, bool) else json.dumps(one)


def _json_tokens(value: Any, case: Case) -> list[_Token]:
    """JSON in which what is between the quotes of a string is a value, the rest signs."""
    tokens: list[_Token] = []
    for chunk in json.JSONEncoder(ensure_ascii=case.style.ascii).iterencode(value):
        if chunk.startswith('"') and len(chunk) > 1:
            inside = chunk[1:-1]
            if case.damage == "raw line ends":
                inside = _unescaped(inside)
            tokens += [("sign", '"'), ("value", inside), ("sign", '"')]
        elif chunk.strip() and not (chunk.strip(' "{}[],:')):
            tokens.append(("sign", chunk))
        else:
            tokens.append(("number", chunk))
    return tokens


def _unescaped(text: str) -> str:
    """Escaped line ends and tabs as they are; a backslash that is itself escaped escapes nothing."""
    parts = text.split("\\\\")
    return "\\\\".join(part.replace("\\n", "\n").replace("\\t", "\t").replace("\\r", "\r") for part in parts)


_MARKS: Final = {"open", "close", "function", "key", "/parameter", "/function", "fence", "/fence", "sign"}


def _damaged(groups: list[list[_Token]], case: Case) -> tuple[list[list[_Token]], bool]:
    """The calls with the damage done, and whether there was anything to do it to."""
    flat = [(number, token) for number, group in enumerate(groups) for token in group]
    last = len(groups) - 1

    def places(*kinds: str, among: range | None = None) -> list[int]:
        return [
            at for at, (number, token) in enumerate(flat) if token[0] in kinds and (among is None or number in among)
        ]

    def pick(found: list[int], share: float) -> list[int]:
        return [found[int(share * len(found))]] if found else []

    lost: list[int] = []
    match case.damage:
        case "opener lost":
            lost = pick(places("open"), case.at[0])
        case "all openers lost":
            lost = places("open")
        case "</parameter> lost":
            lost = pick(places("/parameter"), case.at[0])
        case "all </parameter> lost":
            lost = places("/parameter")
        case "</function> lost":
            lost = pick(places("/function"), case.at[0])
        case "all but </tool_call> lost":
            lost = places("/parameter", "/function")
        case "inner </tool_call> lost":
            lost = pick(places("close", among=range(last)), case.at[0])
        case "closed twice":
            twice = pick(places("close"), case.at[0])
            return _again(flat, groups, twice, case.style.end), bool(twice)
        case "a mark lost":
            lost = pick(places(*_MARKS), case.at[0])
        case "a mark of two lost":
            lost = sorted({*pick(places(*_MARKS), case.at[0]), *pick(places(*_MARKS), case.at[1])})
        case "a mark twice":
            at = pick(places(*_MARKS), case.at[0])
            return _again(flat, groups, at, ""), bool(at)
        case "a key twice":
            return _changed(flat, groups, pick(places("sign"), 0.0), '{"name": "list", '), True
        case "a comma too much":
            closers = [at for at in places("sign") if flat[at][1][1][:1] in "}]"]
            at = pick(closers, case.at[0])
            return (_changed(flat, groups, at, "," + flat[at[0]][1][1]) if at else groups), bool(at)
        case "a sign lost" | "a sign twice" | "a sign swapped":
            at = pick(places(*_MARKS), case.at[0])
            if not at:
                return groups, False
            old = flat[at[0]][1][1]
            sign = int(case.at[1] * len(old))
            kept = {"a sign lost": "", "a sign twice": old[sign] * 2, "a sign swapped": "x"}[case.damage]
            return _changed(flat, groups, at, old[:sign] + kept + old[sign + 1 :]), True
        case _:
            pass
    if not lost:
        return groups, case.damage == "words behind"
    gone = set(lost) | {at + 1 for at in lost if flat[at + 1 : at + 2] and flat[at + 1][1][0] == "gap"}
    made: list[list[_Token]] = [[] for _ in groups]
    for place, (number, token) in enumerate(flat):
        if place not in gone:
            made[number].append(token)
    return made, True


def _again(
    flat: list[tuple[int, _Token]], groups: list[list[_Token]], at: list[int], between: str
) -> list[list[_Token]]:
    text = flat[at[0]][1][1] if at else ""
    return _changed(flat, groups, at, f"{text}{between}{text}") if at else groups


def _changed(
    flat: list[tuple[int, _Token]], groups: list[list[_Token]], at: list[int], text: str
) -> list[list[_Token]]:
    made: list[list[_Token]] = [[] for _ in groups]
    for place, (number, token) in enumerate(flat):
        made[number].append((token[0], text) if place in at else token)
    return made


def _native(case: Case) -> Written:
    style, fits = case.style, True
    each: list[list[Piece]] = []
    texts: list[str] = []
    for number, call in enumerate(case.calls):
        given = arguments_of(call, case)
        numbering = style.numbering
        index = None if numbering == "none" else 0 if numbering == "all zero" else number
        call_id = f"c{number}"
        if numbering == "objects" and not isinstance(given, str):
            each.append([Piece(index, call_id, call.name, given)])
            texts.append(json.dumps(given))
            continue
        tokens = _json_tokens(given, case)
        if number == len(case.calls) - 1 and case.damage in MAY:
            (tokens,), fits = _damaged([tokens], case)
        raw = "".join(text for _, text in tokens)
        texts.append(raw)
        named = call.name if numbering == "named in each" else ""
        again = call_id if numbering == "named in each" else ""
        made = [Piece(index, call_id, call.name, "")]
        made += [
            Piece(index, again, named, piece) for piece in split(raw, case.cuts, half=case.damage == "half characters")
        ]
        each.append(made)
    pieces = [piece for made in each for piece in made]
    whole = len(each)
    if style.numbering == "woven":
        pieces = [made[0] for made in each]
        for step in range(1, max(map(len, each))):
            pieces += [made[step] for made in each if step < len(made)]
    if case.damage in CUT:
        total = sum(len(text) for text in texts)
        left, whole = int(case.at[0] * total), 0
        pieces.clear()
        for made, text in zip(each, texts, strict=True):
            if left < len(text):
                kept = text[:left]
                if kept or case.at[1] < 0.5:
                    pieces += [made[0], Piece(made[0].index, "", "", kept)]
                break
            left -= len(text)
            pieces += made
            whole += 1
    text = _lines(case.before, style.end)
    if case.damage == "also in the text":
        content = replace(case, form="hermes", style=replace(style, one_list=False))
        text += style.end.join("".join(sign for _, sign in group) for group in _json_groups(content))
    return Written(text, tuple(pieces), fits=fits, whole=whole)


def split(text: str, cuts: tuple[float, ...], *, half: bool = False) -> list[str]:
    """The text in pieces. `half`: characters of two UTF-16 units are split as well, as programs in JavaScript do."""
    if half:
        text = "".join(one for sign in text for one in _halves(sign))
    places = sorted(int(share * (len(text) + 1)) for share in cuts)
    if half:
        places = sorted({*places, *(at for at in range(1, len(text)) if "\udc00" <= text[at] <= "\udfff")})
    parts = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    return [part.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") for part in parts]


def _halves(sign: str) -> str:
    raw = sign.encode("utf-16-be", "surrogatepass")
    return "".join(chr(int.from_bytes(raw[at : at + 2], "big")) for at in range(0, len(raw), 2))
