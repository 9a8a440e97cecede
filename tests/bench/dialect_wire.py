"""The same cases as bytes on the wire: server-sent events, split anywhere, in the middle of a character too."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import openai
from tests.bench.dialect_cases import TOOLS, Case, Written
from tests.bench.dialect_verdict import Read
from tests.bench.dialect_writer import split

from kaaj_agent.model.attempt import Patience, pieces
from kaaj_agent.model.dialects import ReplyReader
from kaaj_agent.model.errors import Place
from kaaj_agent.ports import CallReady, TextDelta, ToolCall

_PATIENCE = Patience(60.0, 60.0)


class _Bytes(httpx2.AsyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self._parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


class Wire:
    """A client of the endpoint adapter's own kind, answered from memory."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        transport = httpx2.MockTransport(self._answer)
        self._client = openai.AsyncOpenAI(
            base_url="http://127.0.0.1:1/v1",
            api_key="none",
            max_retries=0,
            http_client=httpx2.AsyncClient(transport=transport),
        )

    async def read(self, case: Case, written: Written) -> Read:
        """The reply as it is read off the wire."""
        raw = b"".join(_events(case, written))
        cuts = random.Random(len(raw)).choices(range(len(raw) + 1), k=len(case.cuts))  # noqa: S311 - no secret
        places = [0, *sorted(cuts), len(raw)]
        self._parts = [raw[a:b] for a, b in itertools.pairwise(places)]
        reader, finish = ReplyReader(TOOLS, new_id=lambda: "id"), None
        given: list[str] = []
        announced: list[ToolCall] = []
        body: dict[str, Any] = {"model": "m", "messages": [], "stream": True}
        async for piece in pieces(self._client, body, Place("http://127.0.0.1:1/v1", "m"), _PATIENCE):
            finish = piece.finish or finish
            deltas = reader.feed(piece.content) if piece.content else []
            for call in piece.calls:
                deltas += reader.feed_native(call.index, call.id, call.name, call.arguments)
            given += [delta.text for delta in deltas if isinstance(delta, TextDelta)]
            announced += [delta.call for delta in deltas if isinstance(delta, CallReady)]
        outcome = reader.finish(finish)
        return Read(outcome, "".join([*given, outcome.rest]), tuple(announced))

    async def close(self) -> None:
        await self._client.close()

    def _answer(self, _request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=_Bytes(self._parts))


def _events(case: Case, written: Written) -> Iterator[bytes]:
    half = case.damage == "half characters"
    for chunk in split(written.text, case.cuts, half=half):
        yield _event({"content": chunk}, None, ascii_only=case.style.ascii or half)
    for piece in written.pieces:
        function = {"name": piece.name or None, "arguments": piece.arguments}
        call = {"index": piece.index, "id": piece.id or None, "type": "function", "function": function}
        if piece.index is None:
            del call["index"]
        yield _event({"tool_calls": [call]}, None, ascii_only=case.style.ascii or half)
    if case.told is not None:
        yield _event({}, case.told, ascii_only=True)
        yield b"data: [DONE]\n\n"


def _event(delta: dict[str, Any], finish: str | None, *, ascii_only: bool) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "r", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return b"data: " + json.dumps(chunk, ensure_ascii=ascii_only).encode() + b"\n\n"
