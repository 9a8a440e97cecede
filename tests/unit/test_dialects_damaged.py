"""Replies that are damaged: mended where there is one way to read them, else refused with a word, never half read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kaaj_agent.model.dialects import Outcome, ReplyReader
from kaaj_agent.model.wire import call_text
from kaaj_agent.ports import TextDelta, ToolCall, ToolSpec

TEXT = {"type": "string"}
TOOLS = tuple(
    ToolSpec(name, "", {"type": "object", "properties": properties, "required": list(properties)[:needed]})
    for name, needed, properties in (
        ("read", 1, {"path": TEXT, "start": {"type": "integer"}}),
        ("write", 2, {"path": TEXT, "content": TEXT}),
        ("run", 1, {"command": TEXT, "seconds": {"type": "number"}}),
    )
)


def xml(name: str, **arguments: Any) -> str:
    return call_text(ToolCall("", name, arguments))


def hermes(name: str, **arguments: Any) -> str:
    return call_text(ToolCall("", name, arguments), hermes=True)


def fenced(name: str, **arguments: Any) -> str:
    return f"```json\n{json.dumps({'name': name, 'arguments': arguments})}\n```"


def outcome(text: str, finish: str = "stop") -> Outcome:
    """What is read; the same by single characters, with the same prose handed out."""
    outcomes: list[Outcome] = []
    for chunks in ([text], list(text)):
        reader = ReplyReader(TOOLS, new_id=lambda: "id")
        given = [delta.text for chunk in chunks for delta in reader.feed(chunk) if isinstance(delta, TextDelta)]
        outcomes.append(reader.finish(finish))
        assert "".join(given) + outcomes[-1].rest == outcomes[-1].text
    assert outcomes[0].calls == outcomes[1].calls
    assert outcomes[0].cut == outcomes[1].cut
    return outcomes[0]


def done(read: Outcome) -> list[dict[str, Any]]:
    return [dict(call.arguments) for call in read.calls if not call.error]


def refused(read: Outcome) -> list[str]:
    return [call.name for call in read.calls if call.error]


READ = {"path": "a.py", "start": 3}
RM = "\n<tool_call>\n<function=run>\n<parameter=command>\nrm -rf .\n</parameter>\n</function>\n</tool_call>\n"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_any_opener_of_several_hermes_calls_may_be_lost(at: int) -> None:
    calls = [hermes("read", path=name) for name in "abc"]
    calls[at] = calls[at].removeprefix("<tool_call>\n")
    assert [one["path"] for one in done(outcome("I read them.\n" + "\n".join(calls)))] == ["a", "b", "c"]


def test_an_object_that_names_its_tool_later_needs_no_opener_either() -> None:
    body = json.dumps({"id": "c1", "type": "function", "name": "read", "arguments": READ})
    assert done(outcome(f"{body}</tool_call>")) == [READ]


@pytest.mark.parametrize(
    "broken",
    [
        xml("read", **READ).replace("<function=read>\n", ""),
        xml("read", **READ).replace("<function", "<functixn"),
        xml("read", **READ).replace("<tool_call>\n<function=read>\n", ""),
        hermes("read", **READ).replace('{"name"', '{name"'),
        hermes("read", **READ).replace("{", "", 1),
    ],
)
def test_a_call_whose_beginning_is_broken_is_told_and_nothing_behind_it_is_executed(broken: str) -> None:
    for text in (broken, f"I will look.\n\n{broken}"):
        read = outcome(text)
        assert not done(read)
        assert refused(read) in (["read"], ["tool_call"])
    behind = outcome(f"{broken}\n{xml('run', command='ls')}")
    assert done(behind) == []
    assert refused(behind)
    before = outcome(f"{hermes('read', path='b')}\n{broken}")
    assert done(before) in ([], [{"path": "b"}])
    assert refused(before)


def test_a_call_whose_name_cannot_be_read_is_told() -> None:
    body = json.dumps({"id": "c1", "name": "write", "arguments": {"path": "a", "content": "b"}})
    for broken in (body.replace('"write"', '"writex'), body.replace('"write"', "")):
        read = outcome(f"{hermes('read', path='b')}\n<tool_call>{broken}</tool_call>")
        assert done(read) == [{"path": "b"}]
        assert len(refused(read)) == 1


def test_a_call_in_a_value_is_not_executed_where_the_call_around_it_is_broken() -> None:
    text = xml("write", path="a.md", content=f"An example:{RM}").replace("<function=write>", "<functin=write>", 1)
    assert done(outcome(text)) == []
    assert done(outcome(xml("write", path="a.md", content=f"<tool{RM.strip()}"))) in (
        [],
        [{"path": "a.md", "content": f"<tool{RM.strip()}"}],
    )


@pytest.mark.parametrize(
    "broken",
    [
        fenced("read", **READ).replace('"read"', 'read"'),
        fenced("read", **READ).replace("}}", "}}}"),
        fenced("read", **READ).replace("{", "", 1),
        fenced("read", **READ).replace("\n```", "\n\n```json\n{}\n```"),
        json.dumps({"name": "read", "arguments": READ}).replace(": {", " {"),
    ],
)
def test_json_that_was_meant_as_a_call_is_answered(broken: str) -> None:
    read = outcome(broken)
    assert (done(read), refused(read)) == ([], ["read"])


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"scripts": {"read": "cat"}, "arguments": []}\n```',
        "```json\n{read: the file, // not JSON\n}\n```",
        "A list:\n[read, write]\n{of: arguments}\n",
        "It ends with </tool_call> then.",
        "```xml\n<parameter=path>\n</parameter>\n```\nThat is a part of a call.",
        "<parameter=path> is how an argument begins.",
    ],
)
def test_what_is_no_call_stays_prose(text: str) -> None:
    read = outcome(text)
    assert (read.calls, read.text) == ((), text)


@pytest.mark.parametrize("tag", ["/parameter>", "</parameter", "<parameter>", "</paramter>", "</pparameter>"])
def test_a_closer_that_is_mistyped_gets_into_no_value(tag: str) -> None:
    text = xml("read", **READ).replace("</parameter>", tag, 1)
    assert done(outcome(text)) in ([], [READ])
    assert outcome(text).calls
    last = xml("run", command="ls").replace("</parameter>", tag)
    assert done(outcome(last)) in ([], [{"command": "ls"}])


def test_a_closer_that_is_doubled_gets_into_no_value() -> None:
    text = xml("run", command="ls").replace("</parameter>", "</parameter></parameter>")
    assert done(outcome(text)) == []
    assert refused(outcome(text)) == ["run"]


@pytest.mark.parametrize("tag", ["", "parameter=seconds>", "<paramter=seconds>"])
def test_an_argument_whose_tag_is_lost_is_no_part_of_the_one_before(tag: str) -> None:
    text = xml("run", command="ls", seconds=5).replace("<parameter=seconds>", tag)
    assert done(outcome(text)) == []
    assert refused(outcome(text)) == ["run"]


def test_an_argument_that_is_not_closed_on_one_line_does_not_swallow_the_next() -> None:
    text = xml("run", command="ls", seconds=5).replace("\n", "").replace("</parameter>", "", 1)
    assert (done(outcome(text)), refused(outcome(text))) == ([], ["run"])


def test_a_mistyped_closer_behind_text_gets_into_no_value() -> None:
    text = xml("write", path="a", content="\tb\n").replace("\n</parameter>", "</parametxr>", 1)
    assert (done(outcome(text)), refused(outcome(text))) == ([], ["write"])


def test_what_is_mended_ends_the_reply_or_its_fence() -> None:
    lost = xml("write", path="a", content="").replace("</parameter>\n</function>\n", "")
    assert not done(outcome(f"{lost}```\n"))
    assert done(outcome(f"```xml\n{lost}\n```\n")) == [{"path": "a", "content": ""}]


def test_a_value_does_not_swallow_the_calls_behind_it() -> None:
    text = "\n".join([xml("read", path="a"), xml("read", path="b"), xml("read", path="c").replace("=read", "", 1)])
    assert all(one["path"] in "abc" for one in done(outcome(text)))
    assert refused(outcome(text))


@pytest.mark.parametrize("end", ["", "\\u", "\\u20", "\\u20ac", "\\ud83d\\ude0", "\\ud83d\\ude00"])
def test_a_cut_within_an_escape_is_a_cut(end: str) -> None:
    whole = hermes("read", path="a")
    read = outcome(f'{whole}\n<tool_call>\n{{"name": "write", "arguments": {{"path": "a{end}')
    assert read.cut
    assert not done(read)
    reader = ReplyReader(TOOLS)
    reader.feed_native(0, "a", "read", '{"path": "a"}')
    reader.feed_native(1, "b", "write", f'{{"path": "a{end}')
    native = reader.finish("tool_calls")
    assert native.cut
    assert not done(native)


@pytest.mark.parametrize("end", ["1", "0.", "1e", "1.5E-", "-", "tr", "nul"])
def test_a_cut_within_a_number_or_a_word_is_a_cut(end: str) -> None:
    read = outcome(f'{hermes("read", path="a")}\n<tool_call>\n{{"name": "run", "arguments": {{"seconds": {end}')
    assert read.cut
    assert not done(read)
    reader = ReplyReader(TOOLS)
    reader.feed_native(0, "a", "read", '{"path": "a"}')
    reader.feed_native(1, "b", "run", f'{{"command": "ls", "seconds": {end}')
    native = reader.finish("tool_calls")
    assert native.cut
    assert not done(native)


def test_a_second_call_on_the_same_line_that_had_only_just_begun_is_a_cut() -> None:
    first = hermes("read", path="a").replace("\n", "")
    for size in range(len("<tool_"), len(first) - 1):
        read = outcome(first + first[:size])
        assert read.cut, first[:size]
        assert not done(read)


def test_the_halves_of_a_character_are_put_together() -> None:
    text = f"Ein 😀.\n{xml('write', path='😀.md', content='a😀b🏳️c')}"
    halves = [chr(int.from_bytes(raw, "big")) for one in text for raw in _units(one)]
    for size in (1, 2, 3, 7):
        reader = ReplyReader(TOOLS)
        chunks = ["".join(halves[at : at + size]) for at in range(0, len(halves), size)]
        given = [delta.text for one in chunks for delta in reader.feed(one) if isinstance(delta, TextDelta)]
        read = reader.finish("stop")
        assert "".join(given) == read.text == "Ein 😀."
        assert done(read) == [{"path": "😀.md", "content": "a😀b🏳️c"}]
    reader = ReplyReader(TOOLS)
    reader.feed_native(0, "a", "read", '{"path": "\ud83d')
    reader.feed_native(0, "", "", '\ude00"}')
    assert done(reader.finish("stop")) == [{"path": "😀"}]


def _units(sign: str) -> list[bytes]:
    raw = sign.encode("utf-16-be")
    return [raw[at : at + 2] for at in range(0, len(raw), 2)]
