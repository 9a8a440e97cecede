"""The embedded model seen token by token, over the server's native HTTP interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, cast

from kaaj_agent.failures import ModelError
from kaaj_agent.ports import Alternative, Json, Message, Usage

if TYPE_CHECKING:
    import httpx2

CHARACTERS_A_TOKEN: Final = 4
"""An estimate, for lines that come back as text."""
_SECONDS: Final = 120.0
_TRIES: Final = 2


@dataclass(slots=True)
class LlamaScorer:
    """The `Scorer` port on a llama.cpp server at `url`. Close it when done.

    Where the child offers its second service (`scan_url`), many places are looked at in one request, and several
    lines are finished in one. Elsewhere every request asks for one token: the server's speculation, which pays in
    chats, would draft far past the end of a line, and with one token to go it has nothing to draft for. The prefix
    is cached, so a request costs one evaluation.
    """

    url: str
    api_key: str = field(repr=False)
    scan_url: str = ""
    client: httpx2.AsyncClient | None = None
    _bytes_of: dict[int, bytes] = field(default_factory=dict[int, bytes], init=False, repr=False)
    _usage: Usage = Usage()
    _last: Sequence[int] = ()

    async def close(self) -> None:
        client, self.client = self.client, None
        if client is not None:
            await client.aclose()

    def spent(self) -> Usage:
        spent, self._usage = self._usage, Usage()
        return spent

    def _count(self, prompt: Sequence[int], generated: int) -> None:
        """One request's tokens; what it shares with the request before comes from the server's cache."""
        shared = next((at for at, (a, b) in enumerate(zip(prompt, self._last, strict=False)) if a != b), None)
        cached = min(len(prompt), len(self._last)) if shared is None else shared
        self._usage += Usage(len(prompt), cached, generated, 1)
        self._last = prompt

    async def render(self, messages: Sequence[Message], opening: str) -> list[int]:
        body = {"messages": [{"role": message.role, "content": message.content} for message in messages]}
        prompt = str((await self._post("/apply-template", body))["prompt"])
        return await self._tokens(prompt + opening, special=True)

    async def tokenize(self, text: str) -> list[int]:
        return await self._tokens(text, special=False)

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        found: list[bytes] = []
        for token in tokens:
            if token not in self._bytes_of:
                # Only for tokens that came from elsewhere; a part of a character is lost this way.
                text = str((await self._post("/detokenize", {"tokens": [token]}))["content"])
                self._bytes_of[token] = text.encode()
            found.append(self._bytes_of[token])
        return found

    async def scan(self, prefix: Sequence[int], tokens: Sequence[int], count: int) -> list[list[Alternative]]:
        """For each of `tokens`, which follow `prefix`, the `count` likeliest tokens in its place."""
        if self.scan_url:
            body = {"prefix": list(prefix), "tokens": list(tokens), "count": count}
            answer = await self._fast("/scan", body)
            if answer is not None:
                self._count([*prefix, *tokens], 0)
                return [
                    [self._alternative(int(i), bytes(data), float(p)) for i, p, data in row]
                    for row in cast("list[list[tuple[int, float, list[int]]]]", answer["rows"])
                ]
        return [await self.alternatives([*prefix, *tokens[:at]], count) for at in range(len(tokens))]

    async def finish_lines(self, prefixes: Sequence[Sequence[int]], limit: int) -> list[str]:
        """`finish_line` for several prefixes, which best share most of their tokens."""
        if self.scan_url:
            body = {"prefixes": [list(prefix) for prefix in prefixes], "limit": limit}
            answer = await self._fast("/lines", body)
            if answer is not None:
                lines = cast("list[list[int]]", answer["lines"])
                for prefix, line in zip(prefixes, lines, strict=False):
                    self._count(prefix, len(line) // CHARACTERS_A_TOKEN)
                return [bytes(line).decode("utf-8", "replace") for line in lines]
        return [await self.finish_line(prefix, limit) for prefix in prefixes]

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
        answer = await self._post(
            "/completion",
            {
                "prompt": list(prefix),
                "n_predict": 1,
                "n_probs": count,
                "temperature": 0,
                "cache_prompt": True,
                "samplers": [],
            },
        )
        self._count(prefix, 1)
        steps = cast("list[Json]", answer.get("completion_probabilities") or [])
        if not steps:
            return []
        found: list[Alternative] = []
        for entry in cast("list[Json]", steps[0]["top_logprobs"]):
            token = int(entry["id"])
            data = bytes(cast("list[int]", entry["bytes"]))
            found.append(self._alternative(token, data, float(entry["logprob"])))
        return found

    def _alternative(self, token: int, data: bytes, logprob: float) -> Alternative:
        self._bytes_of.setdefault(token, data)
        return Alternative(token, data.decode("utf-8", "replace"), logprob)

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        tokens = list(prefix)
        line = bytearray()
        for _ in range(limit):
            best = await self.alternatives(tokens, 1)
            if not best:
                break
            data = self._bytes_of[best[0].token]
            if not data:  # the model would end its turn here
                break
            head, newline, _rest = data.partition(b"\n")
            line += head + newline
            if newline:
                break
            tokens.append(best[0].token)
        return line.decode("utf-8", "replace")

    async def _tokens(self, text: str, *, special: bool) -> list[int]:
        answer = await self._post(
            "/tokenize",
            {"content": text, "add_special": False, "parse_special": special, "with_pieces": True},
        )
        found: list[int] = []
        for entry in cast("list[Json]", answer["tokens"]):
            token, piece = int(entry["id"]), cast("str | list[int]", entry["piece"])
            self._bytes_of[token] = piece.encode() if isinstance(piece, str) else bytes(piece)
            found.append(token)
        return found

    async def _fast(self, path: str, body: Mapping[str, Json]) -> Mapping[str, Json] | None:
        """The second service's answer, or None where it cannot serve this request or any."""
        reply = await self._send(self.scan_url + path, body)
        if reply.status_code == HTTPStatus.NOT_IMPLEMENTED:
            self.scan_url = ""
        if reply.status_code != HTTPStatus.OK:
            return None
        return cast("Mapping[str, Json]", reply.json())

    async def _post(self, path: str, body: Mapping[str, Json]) -> Mapping[str, Json]:
        reply = await self._send(self.url + path, body)
        if reply.status_code != HTTPStatus.OK:
            raise ModelError(f"The embedded model refused {path} ({reply.status_code}): {reply.text[:300]}")
        return cast("Mapping[str, Json]", reply.json())

    async def _send(self, url: str, body: Mapping[str, Json]) -> httpx2.Response:
        import httpx2  # noqa: PLC0415 - not on the way to `initialize`

        if self.client is None:
            self.client = httpx2.AsyncClient(timeout=_SECONDS, trust_env=False)
        headers = {"Authorization": f"Bearer {self.api_key}"}
        for attempt in range(_TRIES):
            try:
                return await self.client.post(url, json=body, headers=headers)
            except httpx2.HTTPError as error:
                if attempt + 1 == _TRIES:
                    reason = str(error) or type(error).__name__
                    raise ModelError(f"The embedded model does not answer: {reason}.") from error
        raise AssertionError("unreachable: the last try returns or raises")
