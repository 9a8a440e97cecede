"""Tries tool calling for real: one small request with one small tool. For `kaaj doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from kaaj_agent.ports import Message, Model, Profile, Reply, Request, Restart, TextDelta, ToolSpec

_TOOL = ToolSpec(
    "read",
    "Read a file of the workspace.",
    {
        "type": "object",
        "properties": {"path": {"type": "string", "description": "The file"}},
        "required": ["path"],
    },
)
_MESSAGES: Sequence[Message] = (
    Message("system", "You are a coding agent. Use the tools."),
    Message("user", "Read the file README.md."),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What came back. `dialect` is how the call was written: `native` by the endpoint's own `tool_calls`, else in
    the text (`xml`, `hermes`, `fenced`, `fenced xml`, `bare`). `text` is the prose, or what is wrong with the call.
    """

    calls: Literal["called", "unreadable", "none"]
    dialect: str
    path: str
    text: str
    profile: Profile

    @property
    def ok(self) -> bool:
        """Whether the model called the tool as asked."""
        return self.calls == "called" and self.path.endswith("README.md")


async def probe_tools(model: Model) -> Probe:
    """Ask the model to call one tool. Raises ModelError where the endpoint fails."""
    text = ""
    reply: Reply | None = None
    async for item in model.stream(Request(_MESSAGES, (_TOOL,), max_tokens=300)):
        match item:
            case TextDelta():
                text += item.text
            case Restart():
                text = ""
            case Reply():
                reply = item
            case _:
                pass
    profile = await model.profile()
    calls = reply.calls if reply else ()
    if not calls:
        return Probe("none", "", "", text[:500], profile)
    first = calls[0]
    kind: Literal["called", "unreadable"] = "unreadable" if first.error else "called"
    dialect = reply.dialect if reply else ""
    return Probe(kind, dialect, str(first.arguments.get("path", "")), first.error or text[:500], profile)
