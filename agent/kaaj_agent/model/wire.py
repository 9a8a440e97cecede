"""A request as the endpoint gets it: messages, tools and sampling in OpenAI's form.

The rendering of a message depends on nothing but itself, so a prompt that grows keeps every byte that it had.
Where an endpoint has no tools of its own, they stand in the system text in Qwen's `<tools>` form, calls in the
assistant's text, and results as `<tool_response>` in a user turn.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from kaaj_agent.ports import Json, Message, Profile, Request, ToolCall, ToolSpec

_XML_HOWTO = """To call one, write exactly this, and nothing after it:
<tool_call>
<function=NAME>
<parameter=KEY>
VALUE
</parameter>
</function>
</tool_call>"""
_HERMES_HOWTO = """To call one, write exactly this, and nothing after it:
<tool_call>
{"name": NAME, "arguments": {KEY: VALUE}}
</tool_call>"""


def parameters_of(
    request: Request, profile: Profile, *, without: Collection[str] = (), llama: bool = False
) -> dict[str, Any]:
    """The keyword arguments of `chat.completions.create`.

    `without` names what this endpoint refused (`tools` puts them into the text). `llama` spells the repetition
    penalty as llama.cpp does.
    """
    native = profile.native_tools and "tools" not in without
    sampling = request.sampling or profile.sampling
    body: dict[str, Any] = {
        "model": profile.model,
        "messages": messages_of(request.messages, request.tools, native=native, hermes=profile.dialect == "hermes"),
        "stream": True,
    }
    limit = "max_completion_tokens" if "max_tokens" in without else "max_tokens"
    penalty = "repeat_penalty" if llama else "repetition_penalty"
    wanted: dict[str, Json] = {
        "stream_options": {"include_usage": True},
        "tools": [tool_of(tool) for tool in request.tools] if native and request.tools else None,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed,
        "stop": list(request.stop) or None,
        limit: request.max_tokens or profile.max_tokens,
        "response_format": _format(request.schema),
    }
    extra: dict[str, Json] = {"top_k": sampling.top_k, "repetition_penalty": sampling.repetition_penalty}
    body |= {key: value for key, value in wanted.items() if value is not None and key not in without}
    sent = {key: value for key, value in extra.items() if value is not None and key not in without}
    if sent:
        body["extra_body"] = {penalty if key == "repetition_penalty" else key: sent[key] for key in sent}
    return body


def messages_of(
    messages: Sequence[Message], tools: Sequence[ToolSpec], *, native: bool, hermes: bool
) -> list[dict[str, Json]]:
    """The messages, with the tools in them where they are not `native`."""
    if native:
        return [_native(message) for message in messages]
    made: list[dict[str, Json]] = []
    told = not tools
    if not told and not (messages and messages[0].role == "system"):
        made.append({"role": "system", "content": tools_text(tools, hermes=hermes)})
        told = True
    previous = ""
    for message in messages:
        if message.role == "tool":
            result = f"<tool_response>\n{message.content}\n</tool_response>"
            if previous == "tool":
                made[-1]["content"] += f"\n{result}"
            else:
                made.append({"role": "user", "content": result})
        else:
            text = message.content
            if message.role == "system" and not told:
                text, told = f"{text}\n\n{tools_text(tools, hermes=hermes)}", True
            calls = [call_text(call, hermes=hermes) for call in message.calls]
            made.append({"role": message.role, "content": "\n".join([text, *calls] if text else calls)})
        previous = message.role
    return made


def tool_of(tool: ToolSpec) -> dict[str, Json]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def tools_text(tools: Sequence[ToolSpec], *, hermes: bool) -> str:
    """The tools for the system text."""
    lines = "\n".join(_json(tool_of(tool)) for tool in tools)
    return f"# Tools\n\n<tools>\n{lines}\n</tools>\n\n{_HERMES_HOWTO if hermes else _XML_HOWTO}"


def call_text(call: ToolCall, *, hermes: bool = False) -> str:
    """A call as the model would have written it."""
    if hermes:
        return f"<tool_call>\n{_json({'name': call.name, 'arguments': dict(call.arguments)})}\n</tool_call>"
    values = "".join(
        f"<parameter={key}>\n{value if isinstance(value, str) else _json(value)}\n</parameter>\n"
        for key, value in call.arguments.items()
    )
    return f"<tool_call>\n<function={call.name}>\n{values}</function>\n</tool_call>"


def _native(message: Message) -> dict[str, Json]:
    made: dict[str, Json] = {"role": message.role, "content": message.content}
    if message.role == "tool":
        made["tool_call_id"] = message.call_id
    if message.calls:
        made["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _json(dict(call.arguments))},
            }
            for call in message.calls
        ]
    return made


def _format(schema: Mapping[str, Json] | None) -> Json:
    if schema is None:
        return None
    return {"type": "json_schema", "json_schema": {"name": "reply", "schema": dict(schema), "strict": True}}


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
