"""What a reply means: every form whole, by single characters, cut anywhere; any chunking alike; values unharmed."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.model.dialects import Outcome, ReplyReader, read_reply
from kaaj_agent.model.wire import call_text
from kaaj_agent.ports import TextDelta, ToolCall, ToolSpec


def tool(name: str, required: str, **properties: Any) -> ToolSpec:
    schema = {"type": "object", "properties": properties, "required": required.split()}
    return ToolSpec(name, "", schema)


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
TODO = {"type": "object", "properties": {"title": TEXT, "status": TEXT}, "required": ["title"]}
TOOLS = (
    tool("read", "path", path=TEXT, start=WHOLE, end=WHOLE),
    tool("edit", "path old new", path=TEXT, old=TEXT, new=TEXT),
    tool("write", "path content", path=TEXT, content=TEXT),
    tool("list", "", path=TEXT, deep={"type": "boolean"}),
    tool("todo", "items", items={"type": "array", "items": TODO}),
)
READ = {"path": "src/a.py", "start": 3, "end": 9}
XML = (
    "<tool_call>\n<function=read>\n<parameter=path>\nsrc/a.py\n</parameter>\n<parameter=start>\n3\n</parameter>\n"
    "<parameter=end>\n9\n</parameter>\n</function>\n</tool_call>"
)
HERMES = '<tool_call>\n{"name": "read", "arguments": {"path": "src/a.py", "start": 3, "end": 9}}\n</tool_call>'
FENCED = '```json\n{"name": "read", "arguments": {"path": "src/a.py", "start": 3, "end": 9}}\n```'
TWICE = json.dumps({"name": "read", "arguments": json.dumps(READ)})

ONE_READ: dict[str, str] = {
    "xml": XML,
    "xml, prose before": f"Let me look at it: a < b, `<tool_call>`, <b>.\n\n{XML}",
    "xml, opener missing": XML.removeprefix("<tool_call>\n"),
    "xml, a </parameter> missing": XML.replace("</parameter>\n<parameter=start>", "<parameter=start>"),
    "xml, last </parameter> missing": XML.replace("</parameter>\n</function>", "</function>"),
    "xml, </function> missing": XML.replace("</function>\n", ""),
    "xml, both missing": XML.replace("</parameter>\n</function>\n", ""),
    "xml, CRLF": XML.replace("\n", "\r\n"),
    "xml, on one line": XML.replace("\n", ""),
    "xml, white space": XML.replace("\n", " \n  ")
    .replace("src/a.py \n  ", "src/a.py\n")
    .replace("path> \n  ", "path>\n"),
    "xml, quoted names": XML.replace("=read", '="read"').replace("=path", " name='path'"),
    "xml, closed twice": f"{XML}\n</tool_call>",
    "xml in a fence": f"```xml\n{XML}\n```",
    "hermes": HERMES,
    "hermes, on one line": HERMES.replace("\n", ""),
    "hermes, encoded twice": f"<tool_call>\n{TWICE}\n</tool_call>",
    "hermes, numbers as strings": HERMES.replace("3", '"3"').replace("9", '"9"'),
    "hermes, parameters": HERMES.replace("arguments", "parameters"),
    "fenced": FENCED,
    "fenced, prose around": f"I read it:\n{FENCED}\nThen I will see.",
    "fenced, no language": FENCED.replace("json", "", 1),
    "fenced, CRLF": FENCED.replace("\n", "\r\n"),
    "bare": HERMES.removeprefix("<tool_call>\n").removesuffix("\n</tool_call>"),
    "hermes, opener missing": HERMES.removeprefix("<tool_call>\n"),
}


def read_in(chunks: list[str], finish: str | None = "stop") -> tuple[Outcome, str]:
    """The outcome, and the prose as the deltas gave it."""
    reader = ReplyReader(TOOLS, new_id=lambda: "id")
    given = [delta.text for chunk in chunks for delta in reader.feed(chunk) if isinstance(delta, TextDelta)]
    outcome = reader.finish(finish)
    return outcome, "".join([*given, outcome.rest])


def executable(outcome: Outcome) -> list[ToolCall]:
    return [call for call in outcome.calls if not call.error]


def complete_from(text: str) -> int:
    """The offset from which on everything that was opened is closed again: a cut there loses nothing of a call."""
    ends = [text.rfind("</tool_call>") + 12 if "<tool_call>" in text or "</function>" not in text else 0]
    if "<tool_call>" not in text:
        ends = [text.rfind("</function>") + 11] if "</function>" in text else ends
    if "```" in text:
        ends = [text.rfind("```") + 3]
    elif not text.startswith(("<", "L", "I")):
        ends = [text.rfind("}") + 1]
    if text.count("</tool_call>") == 2 and text.count("<tool_call>") == 1:
        ends = [text.find("</tool_call>") + 12]
    return ends[0]


@pytest.mark.parametrize("form", ONE_READ)
def test_a_complete_call_is_executed_whole_and_by_single_characters(form: str) -> None:
    text = ONE_READ[form]
    whole, prose = read_in([text])
    assert [(call.name, call.arguments, call.error) for call in whole.calls] == [("read", READ, "")]
    assert prose == whole.text
    assert "<function" not in prose
    single, given = read_in(list(text))
    assert single.calls == whole.calls
    assert given == single.text == whole.text


@pytest.mark.parametrize("form", ONE_READ)
@pytest.mark.parametrize("finish", [None, "length"])
def test_a_cut_reply_executes_nothing(form: str, finish: str | None) -> None:
    text = ONE_READ[form]
    for at in range(len(text) + 1):
        assert not executable(read_in([text[:at]], finish)[0]), text[:at]


@pytest.mark.parametrize("form", ONE_READ)
def test_a_stream_that_ends_cleanly_in_a_call_executes_nothing(form: str) -> None:
    text = ONE_READ[form]
    for at in range(complete_from(text)):
        assert not executable(read_in([text[:at]])[0]), text[:at]
    assert executable(read_in([text[: complete_from(text)]])[0])


def test_a_call_that_was_cut_is_answered_and_takes_the_others_along() -> None:
    outcome, _ = read_in([f"{XML}\n{XML[:-30]}"])
    assert outcome.cut
    assert outcome.calls
    assert all(call.error and not call.arguments for call in outcome.calls)


@pytest.mark.parametrize("form", [XML, HERMES, FENCED])
def test_several_calls_in_one_reply(form: str) -> None:
    prose, calls = read_reply(f"First:\n{form}\n{form.replace('a.py', 'b.py')}", TOOLS)
    assert prose == "First:"
    assert [call.arguments["path"] for call in calls if not call.error] == ["src/a.py", "src/b.py"]
    assert len({call.id for call in calls}) == 2


@pytest.mark.parametrize(
    "text",
    [
        f"To call a tool one writes:\n```xml\n{XML.replace('=read', '=other')}\n```\nThat is all.",
        f"In a program:\n```python\ntext = '''\n{XML}\n'''\n```\n",
        "Write `<tool_call>` and then the name, `<function=read>`.",
        '```json\n{"name": "read", "version": "1.0.0", "private": true}\n```',
        '```json\n{"name": "other", "arguments": {"path": "x"}}\n```',
        "```\n<tool_call>\n```",
        "if a <b and c> d:\n    pass\n",
        "A list:\n[1, 2]\n{3}\n",
        "``` not closed\n{",
        "",
        " \n",
    ],
)
def test_what_only_talks_about_calls_is_prose(text: str) -> None:
    whole, prose = read_in([text])
    assert (whole.calls, prose) == ((), text)
    single, given = read_in(list(text))
    assert (single.calls, given) == ((), text)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"path": "a", "start": "three"}, "`start`"),
        ({"start": 3}, "`path`"),
        ({"path": "a", "line": 3}, "`line`"),
        ({"path": {"a": 1}}, "`path`"),
        ({"path": None}, "`path`"),
    ],
)
def test_arguments_that_do_not_fit_are_answered_with_what_is_wrong(arguments: Any, says: str) -> None:
    hermes = f"<tool_call>\n{json.dumps({'name': 'read', 'arguments': arguments})}\n</tool_call>"
    (call,) = read_reply(hermes, TOOLS)[1]
    assert call.name == "read"
    assert says in call.error
    assert not call.arguments


def test_arguments_are_coerced_by_the_schema() -> None:
    items = [{"title": "one", "status": "open"}]
    text = call_text(ToolCall("", "todo", {"items": items})) + call_text(
        ToolCall("", "list", {"path": "123", "deep": "True"})
    )
    calls = read_reply(text, TOOLS)[1]
    assert [call.arguments for call in calls] == [{"items": items}, {"path": "123", "deep": True}]
    reader = ReplyReader(TOOLS)
    reader.feed_native(0, "a", "todo", json.dumps({"items": json.dumps(items)}))
    reader.feed_native(1, "b", "read", json.dumps(json.dumps({"path": 7, "start": "3", "end": None})))
    native = reader.finish("tool_calls").calls
    assert [call.arguments for call in native] == [{"items": items}, {"path": "7", "start": 3}]


def test_an_unknown_tool_is_answered_with_the_known_ones() -> None:
    (call,) = read_reply(XML.replace("=read", "=read_file"), TOOLS)[1]
    assert call.name == "read_file"
    assert "read, edit, write" in call.error


def test_broken_json_is_answered() -> None:
    (call,) = read_reply(HERMES.replace('"start": 3', "start = 3"), TOOLS)[1]
    assert "not valid JSON" in call.error
    (twice,) = read_reply(HERMES.replace('"end"', '"start"'), TOOLS)[1]
    assert "twice" in twice.error


@pytest.mark.parametrize(
    "value",
    [
        "a literal </parameter> inside",
        "</parameter>",
        "</function>\n",
        "<parameter=path>\nx\n</parameter>",
        f"Documentation:\n\n```xml\n{XML}\n```\n\nand on.",
        "<html>\n<function=x>\n</html>",
        '{"name": "read", "arguments": {}}',
        f"{HERMES}\n\n{FENCED}\n",
        "line\r\nline\r\n",
        "\n\n  indented\n\n",
        "",
        "\n",
        "<think>hm</think>",
    ],
)
def test_a_value_that_holds_markup_arrives_unharmed(value: str) -> None:
    arguments = {"path": "doc.md", "content": value}
    call = ToolCall("", "write", arguments)
    for text in (call_text(call), call_text(call, hermes=True)):
        found, _ = read_in([f"Writing it.\n{text}"])
        assert [(one.arguments, one.error) for one in found.calls] == [(arguments, "")]
        assert read_in(list(f"Writing it.\n{text}"))[0].calls == found.calls


def test_a_reply_that_can_be_read_in_two_ways_is_refused() -> None:
    old = "a\n</parameter>\n<parameter=new>\nb"
    (call,) = read_reply(call_text(ToolCall("", "edit", {"path": "x", "old": old, "new": "c"})), TOOLS)[1]
    assert call.name == "edit"
    assert "two ways" in call.error


def test_thoughts_are_no_part_of_the_reply() -> None:
    text = f"<think>\nI could {XML}\n</think>\n\nDone."
    for chunks in ([text], list(text)):
        outcome, given = read_in(chunks)
        assert (outcome.text, given, outcome.calls) == ("Done.", "Done.", ())


def native(chunks: list[tuple[int | None, str, str, Any]], finish: str | None = "tool_calls") -> Outcome:
    reader = ReplyReader(TOOLS, new_id=lambda: "id")
    for chunk in chunks:
        reader.feed_native(*chunk)
    return reader.finish(finish)


def test_native_calls_in_pieces_and_cut_at_every_byte() -> None:
    raw = json.dumps(READ)
    for finish in ("tool_calls", "stop"):
        whole = native([(0, "a", "read", ""), *((0, "", "", piece) for piece in raw)], finish)
        assert [(call.id, call.arguments) for call in executable(whole)] == [("a", READ)]
        for at in range(len(raw)):
            assert not executable(native([(0, "a", "read", raw[:at])], finish))
    for at in range(len(raw) + 1):
        assert not executable(native([(0, "a", "read", raw[:at])], None))


@pytest.mark.parametrize(
    "chunks",
    [
        [(0, "a", "read", '{"path": "1"}'), (1, "b", "read", '{"path": "2"}')],
        [(0, "a", "read", '{"path": "1"}'), (0, "b", "read", '{"path": "2"}')],
        [(None, "a", "read", '{"path": "1"}'), (None, "b", "read", '{"path": "2"}')],
        [(None, "", "read", '{"path": "1"}'), (None, "", "read", '{"path": "2"}')],
        [(0, "a", "read", '{"path"'), (1, "b", "read", '{"path"'), (0, "", "", ': "1"}'), (1, "", "", ': "2"}')],
        [(0, "a", "read", '{"path": '), (0, "a", "read", '"1"}'), (1, "b", "functions.read", {"path": "2"})],
    ],
)
def test_native_calls_as_servers_number_them(chunks: list[tuple[int | None, str, str, Any]]) -> None:
    assert [call.arguments for call in executable(native(chunks))] == [{"path": "1"}, {"path": "2"}]


def test_a_call_that_comes_natively_and_in_the_text_is_made_once() -> None:
    reader = ReplyReader(TOOLS)
    reader.feed(XML)
    reader.feed_native(0, "a", "read", json.dumps(READ))
    assert [call.id for call in reader.finish("stop").calls] == ["a"]


TAGS = [
    "<tool_call>",
    "</tool_call>",
    "<function=read>",
    "</function>",
    "<parameter=path>",
    "</parameter>",
    "<parameter=x>",
    "```",
]
PIECES = ["```json\n", "~~~\n", '{"name": "read"', '{"name": "x"}', "\n", "`", "<", " ", "prose ", "<think>", "}"]
FRAGMENTS = st.sampled_from([*ONE_READ.values(), *TAGS, *PIECES])


@settings(max_examples=int(os.environ.get("KAAJ_EXAMPLES", "100")), deadline=None)
@given(st.lists(FRAGMENTS, max_size=5), st.data())
def test_any_chunking_of_a_reply_parses_alike(fragments: list[str], data: st.DataObject) -> None:
    text = "".join(fragments)
    whole, prose = read_in([text])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    chunks = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    pieces, given_prose = read_in(chunks)
    assert pieces.calls == whole.calls
    assert (pieces.text, pieces.cut) == (whole.text, whole.cut)
    assert prose == given_prose == whole.text
    assert read_in(list(text))[1] == prose


INSIDE = ["\n", "\r\n", '"', "\\", "{", "}", "<", "&lt;", "'''", " "]
VALUES = st.lists(st.one_of(st.sampled_from([*TAGS, *INSIDE]), st.text(max_size=8)), max_size=6).map("".join)


@settings(max_examples=int(os.environ.get("KAAJ_EXAMPLES", "100")), deadline=None)
@given(VALUES)
def test_a_value_goes_round_or_is_refused(value: str) -> None:
    """Whatever a value holds: it arrives as it was, or the reply is refused, or another reading is as good."""
    arguments = {"path": "a", "content": value}
    call = ToolCall("", "write", arguments)
    (hermes,) = read_reply(call_text(call, hermes=True), TOOLS)[1]
    assert hermes.arguments == arguments
    text = call_text(call)
    found = read_reply(text, TOOLS)[1]
    if all(not one.error for one in found) and [one.arguments for one in found] != [arguments]:
        tags = sum(value.count(tag) for tag in ("</parameter>", "</function>", "<function=", "<parameter="))
        assert tags >= 2, "a value with hardly a tag was read wrongly"
    if not any(tag in value for tag in ("<tool", "</", "<function", "<parameter")):
        assert [one.arguments for one in found] == [arguments]


def test_a_long_value_with_many_tags_is_answered_in_time() -> None:
    value = "\n</parameter>\n<parameter=old>\n" * 120
    found = read_reply(call_text(ToolCall("", "write", {"path": "a", "content": value})), TOOLS)[1]
    assert found
    many = read_reply(call_text(ToolCall("", "write", {"path": "a", "content": value * 5})), TOOLS)[1]
    assert "too many tags" in many[0].error


@pytest.mark.parametrize("form", [XML, HERMES, XML.removeprefix("<tool_call>\n")])
def test_a_call_that_had_only_just_begun_is_no_final_answer(form: str) -> None:
    for at in range(len("<tool_"), len(form) - len("\n</tool_call>")):
        assert read_in([f"I read it.\n{form[:at]}"])[0].cut, form[:at]
