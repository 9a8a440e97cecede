"""The endpoint adapter against a real server on loopback that plays a script."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest

from kaaj_agent.failures import ContextTooLongError, ModelError
from kaaj_agent.model.discovery import discover
from kaaj_agent.model.endpoint import Endpoint, Limits, Wishes
from kaaj_agent.model.errors import Place, judge_status, retry_after
from kaaj_agent.model.probe import probe_tools
from kaaj_agent.model.profiles import writes_hermes
from kaaj_agent.model.wire import call_text, messages_of, parameters_of
from kaaj_agent.ports import Message, Profile, Reply, Request, Restart, StreamItem, TextDelta, ToolCall, ToolSpec
from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls, answer_error

KEY = "sk-secret-0123456789"
READ = ToolSpec("read", "Read.", {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]})
ASK = Request((Message("system", "You code."), Message("user", "Read a.py")), (READ,))
QUICK = Limits(pause=0.001, first=5.0, idle=5.0)
XML = "<tool_call>\n<function=read>\n<parameter=path>\na.py\n</parameter>\n</function>\n</tool_call>"


def endpoint(server: ScriptedEndpoint, *, model: str = "scripted", limits: Limits = QUICK) -> Endpoint:
    return Endpoint([server.base_url], api_key=KEY, model=model, limits=limits)


async def ask(model: Endpoint, request: Request = ASK) -> tuple[Reply, list[StreamItem]]:
    items = [item async for item in model.stream(request)]
    await model.close()
    (reply,) = [item for item in items if isinstance(item, Reply)]
    assert items[-1] is reply
    return reply, items


def text_of(items: list[StreamItem]) -> str:
    """The prose as a listener has it at the end."""
    text = ""
    for item in items:
        if isinstance(item, TextDelta):
            text += item.text
        elif isinstance(item, Restart):
            text = ""
    return text


async def failure(*answers: Answer, model: str = "scripted", limits: Limits = QUICK) -> tuple[ModelError, int]:
    async with ScriptedEndpoint(*answers) as server:
        with pytest.raises(ModelError) as caught:
            await ask(endpoint(server, model=model, limits=limits))
        assert KEY not in str(caught.value)
        return caught.value, len(server.prompts)


async def test_prose_calls_and_usage_stream_in() -> None:
    usage = {"prompt_tokens": 50, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}}
    said = replace(answer_calls(("read", {"path": "a.py"}), text="I look.", chunk=3), usage=usage)
    async with ScriptedEndpoint(said) as server:
        reply, items = await ask(endpoint(server))
        assert server.prompts[0]["stream_options"] == {"include_usage": True}
        assert server.received[-1].headers["authorization"] == f"Bearer {KEY}"
    assert (reply.text, text_of(items), reply.finish) == ("I look.", "I look.", "calls")
    assert [(call.name, call.arguments, call.error) for call in reply.calls] == [("read", {"path": "a.py"}, "")]
    assert (reply.usage.prompt, reply.usage.cached, reply.usage.completion, reply.usage.requests) == (50, 40, 7, 1)


async def test_calls_in_the_content_are_executed_and_not_shown() -> None:
    async with ScriptedEndpoint(answer(f"I look.\n\n{XML}", chunk=2)) as server:
        reply, items = await ask(endpoint(server))
    assert text_of(items) == reply.text == "I look."
    assert [call.arguments for call in reply.calls] == [{"path": "a.py"}]


NOTHING: dict[str, Any] = {"choices": []}
BROKEN = {
    "cut": replace(answer("Hello you", chunk=2), cut_after=2),
    "cut at once": replace(answer("Hello"), cut_after=0),
    "silent": replace(answer("Hello you", chunk=2), hang_after=2),
    "silent from the start": replace(answer("Hello"), hang_after=0),
    "only signs of life": Answer([NOTHING] * 2000, pause=0.01, finish=None),
    "no finish": answer("Hello", finish=None),
    "no finish in a call": answer(XML[:40], finish=None),
    "native call cut": replace(answer_calls(("read", {"path": "a.py"}), chunk=4), cut_after=2),
    "500": answer_error(500, "boom"),
    "429": answer_error(429, "slow down", headers={"retry-after": "0"}),
    "nonsense": Answer(["{not json"]),
    "error in the stream": Answer([{"error": {"message": "overloaded", "code": 503}}], finish=None),
    "empty": answer(""),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_reply_is_asked_for_again_and_its_prose_called_back(kind: str) -> None:
    async with ScriptedEndpoint(BROKEN[kind], answer("Hello again")) as server:
        limits = Limits(pause=0.001, first=0.3, idle=0.3)
        reply, items = await ask(endpoint(server, limits=limits))
        assert len(server.prompts) == 2
        assert server.prompts[0] == server.prompts[1]
    assert reply.text == text_of(items) == "Hello again"
    assert (Restart() in items) == (kind in {"cut", "silent", "no finish"})


async def test_tries_are_bounded() -> None:
    error, requests = await failure(*[answer_error(503, f"busy {KEY}")] * 9)
    assert requests == 5
    assert "5 times" in str(error)
    assert "503" in str(error)


async def test_a_wait_beyond_all_patience_ends_at_once_and_says_how_long() -> None:
    error, requests = await failure(answer_error(429, "slow", headers={"retry-after": "3600"}))
    assert requests == 1
    assert "3600 s" in str(error)


async def test_silence_counts_against_the_total() -> None:
    limits = Limits(pause=0.001, total=0.2, first=0.15)
    error, requests = await failure(*[replace(answer("x"), hang_after=0)] * 9, limits=limits)
    assert "silent" in str(error)
    assert requests < 5


@pytest.mark.parametrize(
    ("said", "finish", "calls"),
    [
        (answer("half of it", finish="length"), "length", 0),
        (answer(XML, finish="length"), "length", 1),
        (answer(XML[:-20]), "length", 1),
        (answer_calls(("read", '{"path": "a'), finish="stop"), "length", 1),
        (answer_calls(("read", {"path": "a.py"}), finish="length"), "length", 1),
    ],
)
async def test_a_reply_that_was_cut_has_no_call_to_execute(said: Answer, finish: str, calls: int) -> None:
    async with ScriptedEndpoint(said) as server:
        reply, _ = await ask(endpoint(server))
    assert reply.finish == finish
    assert len(reply.calls) == calls
    assert all(call.error and not call.arguments for call in reply.calls)


async def test_a_server_that_never_says_it_is_done_ends_as_a_cut_reply() -> None:
    async with ScriptedEndpoint(last=answer(XML, finish=None)) as server:
        reply, _ = await ask(endpoint(server))
        assert len(server.prompts) == 3
    assert reply.finish == "length"
    assert all(call.error for call in reply.calls)


async def test_an_endless_reply_is_cut() -> None:
    async with ScriptedEndpoint(answer("x" * 5000, chunk=100)) as server:
        reply, _ = await ask(endpoint(server, limits=replace(QUICK, characters=300)))
        assert reply.finish == "length"
        assert len(reply.text) == 300


async def test_an_empty_reply_is_believed_the_second_time() -> None:
    async with ScriptedEndpoint(answer(""), answer("")) as server:
        reply, _ = await ask(endpoint(server))
    assert (reply.text, reply.calls, reply.finish) == ("", (), "stop")


@pytest.mark.parametrize(
    ("said", "model", "words"),
    [
        (answer_error(401, f"Incorrect API key: {KEY}"), "scripted", ["does not accept the key", "KAAJ_API_KEY"]),
        (answer_error(404, "no such model"), "other", ["no model 'other'", "scripted"]),
        (Answer(body="<title>Log in</title>", headers={"content-type": "text/html"}), "scripted", ["Log in", "/v1"]),
        (Answer(status=404, body="<p>", headers={"content-type": "text/html"}), "scripted", ["/v1"]),
        (Answer(body="[1]"), "scripted", ["no reply"]),
        (answer_error(400, "you may not"), "scripted", ["refused", "you may not"]),
        (answer_error(429, "exceeded your current quota"), "scripted", ["quota"]),
    ],
)
async def test_what_cannot_be_mended_ends_at_once_in_a_clear_sentence(
    said: Answer, model: str, words: list[str]
) -> None:
    error, requests = await failure(said, model=model)
    assert requests == 1
    assert all(word in str(error) for word in words), str(error)


async def test_a_missing_key_is_told_as_such() -> None:
    async with ScriptedEndpoint(answer_error(401, "no key")) as server:
        with pytest.raises(ModelError, match="none is set"):
            await ask(Endpoint([server.base_url], model="scripted"))


async def test_nobody_listens() -> None:
    async with ScriptedEndpoint() as server:
        url = server.base_url
    with pytest.raises(ModelError, match=f"No answer from {url}.*Start the model server"):
        await ask(Endpoint([url], model="x", limits=QUICK))


@pytest.mark.parametrize(
    "message",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens",
        "the request exceeds the available context size, try increasing it",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 129024]",
        "Input token count (9000) exceeds the maximum number of tokens allowed (8192)",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Please reduce the length of the messages",
    ],
)
async def test_a_prompt_that_is_too_long_has_its_own_error(message: str) -> None:
    error, requests = await failure(answer_error(400, message))
    assert isinstance(error, ContextTooLongError)
    assert requests == 1


async def test_refused_parameters_are_left_out_from_then_on() -> None:
    said = [answer_error(400, "Unrecognized request argument: top_k"), answer("one"), answer("two")]
    async with ScriptedEndpoint(*said) as server:
        model = endpoint(server, model="qwen3-coder-30b")
        await ask(model)
        await ask(model)
        assert [body.get("top_k") for body in server.prompts] == [20, None, None]
        assert server.prompts[2]["repetition_penalty"] == 1.05


async def test_without_tools_of_its_own_the_endpoint_gets_them_in_the_text() -> None:
    said = [answer_error(400, "registry/model does not support tools"), answer(XML)]
    async with ScriptedEndpoint(*said) as server:
        model = endpoint(server)
        reply, _ = await ask(model)
        assert not (await model.profile()).native_tools
        first, second = server.prompts
    assert "tools" in first
    assert "tools" not in second
    assert "<tools>" in second["messages"][0]["content"]
    assert [call.arguments for call in reply.calls] == [{"path": "a.py"}]


async def test_a_server_that_does_not_stream_is_understood() -> None:
    call = {"id": "a", "function": {"name": "read", "arguments": '{"path": "a.py"}'}}
    message = {"content": "I look.", "tool_calls": [call]}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 9}}
    async with ScriptedEndpoint(Answer(body=json.dumps(body))) as server:
        reply, items = await ask(endpoint(server))
    assert (reply.text, text_of(items), reply.usage.prompt) == ("I look.", "I look.", 9)
    assert [call.id for call in reply.calls] == ["a"]


async def test_another_base_url_takes_over_and_is_kept() -> None:
    async with ScriptedEndpoint(last=answer_error(500, "down")) as bad, ScriptedEndpoint(last=answer("up")) as good:
        model = Endpoint([bad.base_url, good.base_url], model="scripted", limits=QUICK)
        assert (await ask(model))[0].text == "up"
        assert (await ask(model))[0].text == "up"
        assert (len(bad.prompts), len(good.prompts)) == (1, 2)


async def test_cancelling_closes_the_connection() -> None:
    async with ScriptedEndpoint(replace(answer("Hello you", chunk=2), hang_after=2)) as server:
        model = endpoint(server)
        async with aclosing(model.stream(ASK)) as items:
            assert await anext(items) == TextDelta("He")
        async with asyncio.timeout(5):
            while not server.left:
                await asyncio.sleep(0.01)
        await model.close()


@pytest.mark.parametrize(
    ("routes", "models", "window"),
    [
        ({"/props": {"default_generation_settings": {"n_ctx": 8192}}}, ["m"], 8192),
        ({"/api/ps": {"models": [{"name": "m:latest", "context_length": 16384}]}, "/api/show": {}}, ["m"], 16384),
        ({"/api/ps": {"models": []}, "/api/show": {"parameters": "num_ctx    12000\nstop x"}}, ["m"], 12000),
        ({"/api/ps": {"models": []}, "/api/show": {}}, ["m"], 4096),
        ({"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 9000}]}}, ["m"], 9000),
        ({}, [{"id": "m", "max_model_len": 65536}], 65536),
        ({}, [{"id": "m", "context_length": 77777}], 77777),
        ({}, ["m"], 32768),
    ],
)
async def test_the_window_is_asked_from_the_server(routes: dict[str, Any], models: list[Any], window: int) -> None:
    async with ScriptedEndpoint(models=models, routes=routes) as server:
        model = endpoint(server, model="m")
        assert (await model.profile()).window == window
        overridden = Endpoint([server.base_url], model="m", wishes=Wishes(window=5000, loop="guided", temperature=0.1))
        profile = await overridden.profile()
        assert (profile.window, profile.loop, profile.sampling.temperature) == (5000, "guided", 0.1)


async def test_a_model_is_chosen_where_none_is_named() -> None:
    async with ScriptedEndpoint(models=["nomic-embed", "llama3:8b", "qwen2.5-coder:7b"]) as server:
        assert (await endpoint(server, model="").profile()).model == "qwen2.5-coder:7b"


async def test_a_local_server_is_found() -> None:
    async with ScriptedEndpoint(models=["llama3"]) as one, ScriptedEndpoint(models=["qwen3-coder"]) as other:
        ports = [int(server.base_url.split(":")[2].split("/")[0]) for server in (one, other)]
        found = await discover(ports, within=3.0)
        assert found is not None
        assert (found.base_url, found.model) == (other.base_url, "qwen3-coder")
        await one.close()
        await other.close()
        assert await discover(ports) is None


@pytest.mark.parametrize(
    ("said", "calls", "dialect", "ok"),
    [
        (answer_calls(("read", {"path": "README.md"})), "called", "native", True),
        (answer(XML.replace("a.py", "./README.md")), "called", "xml", True),
        (answer(XML.replace("path", "file")), "unreadable", "xml", False),
        (answer("I cannot."), "none", "", False),
    ],
)
async def test_tool_calling_is_tried_for_real(
    said: Answer,
    calls: str,
    dialect: str,
    ok: bool,  # noqa: FBT001  # a parameter of the table
) -> None:
    async with ScriptedEndpoint(said) as server:
        model = endpoint(server)
        probe = await probe_tools(model)
        await model.close()
    assert (probe.calls, probe.dialect, probe.ok) == (calls, dialect, ok)


HISTORY = (
    Message("system", "You code."),
    Message("user", "Read both."),
    Message("assistant", "I do.", (ToolCall("1", "read", {"path": "ä"}), ToolCall("2", "read", {"path": "b"}))),
    Message("tool", "text of a", call_id="1", name="read"),
    Message("tool", "text of b", call_id="2", name="read"),
    Message("assistant", "", (ToolCall("3", "read", {}, "bad"),)),
    Message("tool", "The call was not executed.", call_id="3", name="read"),
    Message("assistant", "Done."),
)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("model", ["qwen3-coder", "qwen2.5-coder"])
def test_a_prompt_that_grows_keeps_every_byte(native: bool, model: str) -> None:  # noqa: FBT001  # a parameter
    whole = messages_of(HISTORY, (READ,), native=native, hermes=writes_hermes(model))
    for end in (2, 5, 7, 8):
        part = messages_of(HISTORY[:end], (READ,), native=native, hermes=writes_hermes(model))
        assert json.dumps(part)[:-1] == json.dumps(whole)[: len(json.dumps(part)) - 1]


def test_history_on_the_wire() -> None:
    native = messages_of(HISTORY, (READ,), native=True, hermes=False)
    assert native[2]["tool_calls"][0]["function"] == {"name": "read", "arguments": '{"path": "ä"}'}
    assert native[3] == {"role": "tool", "content": "text of a", "tool_call_id": "1"}
    text = messages_of(HISTORY, (READ,), native=False, hermes=False)
    turns = ["system", "user", "assistant", "user", "assistant", "user", "assistant"]
    assert [message["role"] for message in text] == turns
    assert text[2]["content"] == f"I do.\n{call_text(HISTORY[2].calls[0])}\n{call_text(HISTORY[2].calls[1])}"
    assert text[3]["content"].count("<tool_response>") == 2


def test_parameters() -> None:
    profile = Profile("m", json_schema=True)
    body = parameters_of(replace(ASK, schema={"type": "object"}, stop=("END",), max_tokens=9), profile)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert (body["stop"], body["max_tokens"]) == (["END"], 9)
    assert "extra_body" not in body
    assert parameters_of(ASK, profile, without={"max_tokens"})["max_completion_tokens"] == profile.max_tokens


def test_retry_after_in_its_forms() -> None:
    assert retry_after({"retry-after": "2.5"}) == 2.5
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None


def test_keys_are_blotted_out() -> None:
    place = Place("http://h/v1", "m", "my-own-key")
    error = judge_status(403, "my-own-key and sk-abc123def and Bearer xyz", {}, place, dropped=(), tools=False)
    assert not {"my-own-key", "sk-abc123def", "xyz"} & set(str(error).replace(".", " ").split())
    assert "my-own-key" not in repr(Endpoint(["http://h/v1"], api_key="my-own-key"))
