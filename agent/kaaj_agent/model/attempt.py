"""One request to one endpoint: opened, read piece by piece, its failures told apart. Retries are not decided here."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from kaaj_agent.failures import ModelError
from kaaj_agent.model.bounded import TOO_MUCH
from kaaj_agent.model.errors import Place, TryAgainError, judge_event, judge_status, message_in, not_json
from kaaj_agent.ports import Json, Usage

if TYPE_CHECKING:
    import openai


BREATH = 0.004
"""Seconds after which others on the event loop get their turn."""


@dataclass(frozen=True, slots=True)
class CallPiece:
    """A piece of a native call."""

    index: int | None
    id: str
    name: str
    arguments: Json


@dataclass(frozen=True, slots=True)
class Piece:
    """What one chunk of the stream brought. `thought` is text that is not for the reply; it only shows life."""

    content: str = ""
    thought: str = ""
    calls: tuple[CallPiece, ...] = ()
    finish: str | None = None
    usage: Usage | None = None

    @property
    def size(self) -> int:
        """Characters that came."""
        calls = sum(len(call.arguments) if isinstance(call.arguments, str) else 0 for call in self.calls)
        return len(self.content) + len(self.thought) + calls

    def cut(self, size: int) -> Piece:
        """At most `size` characters of its content, and of each call."""
        calls = tuple(
            replace(call, arguments=call.arguments[:size] if isinstance(call.arguments, str) else "")
            for call in self.calls
        )
        return replace(self, content=self.content[:size], calls=calls)


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for the first piece, between two pieces, and for the tail behind the finish reason."""

    first: float
    idle: float
    tail: float = 5.0


async def pieces(
    client: openai.AsyncOpenAI,
    body: dict[str, Any],
    place: Place,
    patience: Patience,
    *,
    dropped: Collection[str] = (),
) -> AsyncGenerator[Piece]:
    """The pieces of one reply.

    Raises TryAgainError for what another try may mend, UnsupportedError for parameters to leave out, ModelError for
    the rest. Ends without a `finish` where the stream did.
    """
    openai = importlib.import_module("openai")  # imported already: `client` is one of its own
    httpx = importlib.import_module("httpx2")  # as well
    loop = asyncio.get_running_loop()
    until = loop.time() + patience.first  # when silence has lasted too long; signs of life without text do not count
    finished = False
    response: Any = None
    try:
        async with asyncio.timeout(patience.first):
            raw: Any = await cast("Any", client).chat.completions.with_raw_response.create(**body)
            response = raw.http_response
        kind = str(response.headers.get("content-type", "")).lower()
        if "html" in kind or "json" in kind:
            async with asyncio.timeout(patience.first):
                whole: str = (await response.aread()).decode(errors="replace")
            yield _whole(whole, place)
            return
        breath = loop.time() + BREATH
        chunks = aiter(raw.parse())
        while True:
            if loop.time() > breath:
                await asyncio.sleep(0)  # chunks that have all arrived are read without ever waiting
                breath = loop.time() + BREATH
            async with asyncio.timeout_at(until):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            piece = _piece(chunk)
            finished = finished or piece.finish is not None
            if piece.finish is not None or (piece.size and not finished):
                until = loop.time() + (patience.tail if finished else patience.idle)
            yield piece
    except TimeoutError as error:
        if finished:
            return  # all of it came; only the end of the connection did not
        raise TryAgainError(f"{place.url} was silent for too long") from error
    except openai.APIStatusError as error:
        message = message_in(error.body, error.message)
        answered = str(error.response.headers.get("content-type", "")).lower()
        if "html" in answered and error.status_code < 500:
            raise not_json(place, error.response.text[:2000]) from error
        if "html" in answered:
            message = "a web page"
        raise judge_status(
            error.status_code, message, error.response.headers, place, dropped=dropped, tools="tools" in body
        ) from error
    except openai.APITimeoutError as error:
        raise TryAgainError(f"{place.url} was silent for too long") from error
    except openai.APIConnectionError as error:
        if finished:
            return
        if response is None:
            raise TryAgainError(f"no connection to {place.url} ({_cause(error)})", refused=True) from error
        raise _broken_off(place, error.__cause__) from error
    except httpx.HTTPError as error:  # in an answer that is no stream, which openai does not read
        raise _broken_off(place, error) from error
    except openai.APIError as error:
        raise judge_event(message_in(error.body, error.message), place) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise TryAgainError(f"{place.url} sent something that is not JSON") from error
    finally:
        if response is not None:
            await response.aclose()


def _broken_off(place: Place, cause: BaseException | None) -> TryAgainError:
    if str(cause) == TOO_MUCH:
        return TryAgainError(f"{place.url} {TOO_MUCH}")
    return TryAgainError(f"{place.url} dropped the connection in the middle of the reply")


def _cause(error: BaseException) -> str:
    cause = error.__cause__
    return str(cause or error) or type(cause or error).__name__


def _piece(chunk: Any) -> Piece:  # one of openai's chunks; servers leave any part of it out, hence getattr
    usage = _usage(chunk)
    choices = getattr(chunk, "choices", None)
    if not choices:
        return Piece(usage=usage)
    choice = choices[0]
    delta = getattr(choice, "delta", None)
    return Piece(
        content=_text(getattr(delta, "content", None)),
        thought=_text(getattr(delta, "reasoning_content", None)) or _text(getattr(delta, "reasoning", None)),
        calls=tuple(_call_piece(call) for call in getattr(delta, "tool_calls", None) or ()),
        finish=getattr(choice, "finish_reason", None) or None,
        usage=usage,
    )


def _call_piece(call: Any) -> CallPiece:
    function = getattr(call, "function", None)
    index = getattr(call, "index", None)
    return CallPiece(
        index if isinstance(index, int) else None,
        _text(getattr(call, "id", None)),
        _text(getattr(function, "name", None)),
        getattr(function, "arguments", None),
    )


def _whole(text: str, place: Place) -> Piece:
    """A server that does not stream answers with everything at once."""
    try:
        body: Json = json.loads(text)
        message = body["choices"][0]["message"]
        finish = body["choices"][0].get("finish_reason")
        calls = tuple(
            CallPiece(
                at,
                str(call.get("id") or ""),
                str(call["function"].get("name") or ""),
                call["function"].get("arguments"),
            )
            for at, call in enumerate(message.get("tool_calls") or ())
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _strange(text, place) from None
    return Piece(
        content=_text(message.get("content")),
        calls=calls,
        finish=finish,
        usage=read_usage(_mapping(body.get("usage")), body),
    )


def _strange(text: str, place: Place) -> Exception:
    try:
        body: Json = json.loads(text)
    except (ValueError, RecursionError):
        return not_json(place, text[:2000])
    said = message_in(body, "")
    return judge_event(said, place) if said else ModelError(f"{place.url} answered with JSON that is no reply.")


def _usage(chunk: Any) -> Usage | None:
    extra: Mapping[str, Json] = getattr(chunk, "model_extra", None) or {}
    told: Any = getattr(chunk, "usage", None)
    if told is None and "timings" not in extra:
        return None
    if told is None or isinstance(told, Mapping):
        return read_usage(cast("Mapping[str, Json]", told or {}), extra)
    return read_usage(told.model_dump(warnings=False), extra)


def read_usage(usage: Mapping[str, Json], around: Mapping[str, Json]) -> Usage:
    """Tokens as servers tell them: OpenAI's `usage`, DeepSeek's cache hits, llama.cpp's `timings`."""
    timings, details = _mapping(around.get("timings")), _mapping(usage.get("prompt_tokens_details"))
    reused = _count(timings.get("cache_n")) or _count(around.get("tokens_cached"))
    cached = _count(details.get("cached_tokens")) or _count(usage.get("prompt_cache_hit_tokens")) or reused
    prompt = _count(usage.get("prompt_tokens")) or _count(timings.get("prompt_n")) + _count(timings.get("cache_n"))
    completion = _count(usage.get("completion_tokens")) or _count(timings.get("predicted_n"))
    return Usage(prompt, min(cached, prompt), completion, 1)


def _mapping(value: Json) -> Mapping[str, Json]:
    return cast("Mapping[str, Json]", value) if isinstance(value, Mapping) else {}


def _count(value: Json) -> int:
    return int(value) if isinstance(value, int | float) and value > 0 else 0


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
