"""The one place where an endpoint's failures are told apart and put into sentences.

The key never stands in a sentence: servers quote it in theirs, so it is blotted out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

from kaaj_agent.failures import ContextTooLongError, ModelError
from kaaj_agent.model.facts import ANSWER_MAX, is_loopback
from kaaj_agent.ports import Json


class TryAgainError(Exception):
    """This try failed in a way that another may not; `wait` is what the server asked for, in seconds.

    `refused`: there was not even a connection.
    """

    def __init__(self, reason: str, *, wait: float | None = None, refused: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.refused = refused


class UnsupportedError(Exception):
    """The endpoint refuses parameters that the request can do without; `names` says which."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names


@dataclass(frozen=True, slots=True)
class Place:
    """Whom the sentences speak of."""

    url: str
    model: str
    key: str = ""
    models: tuple[str, ...] = ()

    def clean(self, text: str) -> str:
        """Text of the server's, short and without keys."""
        if self.key:
            text = text.replace(self.key, "…")
        text = re.sub(r"\b(?:sk|key|pk)-[\w*.-]{3,}", "…", text)
        text = re.sub(r"(?i)bearer\s+\S+", "Bearer …", text)
        flat = " ".join(text.split())
        return flat.rstrip(" .") if len(flat) <= 300 else flat[:297] + "…"


_TOO_LONG = re.compile(
    r"context[ _]?(?:length|size|window)|context_length_exceeded|exceed_context_size|maximum context|"
    r"(?:prompt|input|request) (?:is )?too (?:long|large)|too many (?:input )?tokens|"
    r"range of input length|reduce the length|longer than the (?:maximum )?model|"
    r"input tokens? (?:exceed|count)|exceeds? the (?:available|maximum|model)[^.]*(?:context|token)",
    re.IGNORECASE,
)
_WINDOW = re.compile(
    r"(?:context (?:length|size|window)\w*|n_ctx|maximum(?: context)?(?: length)?|limit)\D{0,40}?(\d[\d,_]{2,9})\b",
    re.IGNORECASE,
)
"""How large the window is, in an endpoint's own words: "maximum context length is 8192 tokens"."""
_NO_TOOLS = re.compile(
    r"does not support tools|tools? (?:param\w* )?(?:is|are) not supported|--jinja|support(?:ed)? tool|"
    r"enable-auto-tool-choice|tool (?:calling|use|choice) (?:is )?not|"
    r"`?tools`?[^.]*(?:unsupported|not (?:permitted|allowed))",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"unsupported|not supported|unrecognized|unknown|unexpected|not permitted|not allowed|extra (?:inputs|fields)|"
    r"invalid (?:parameter|argument|field)|does not support|only the default",
    re.IGNORECASE,
)
OPTIONAL = ("top_k", "repetition_penalty", "stream_options", "temperature", "top_p", "seed", "response_format")
_EXTRAS = frozenset({"top_k", "repetition_penalty", "stream_options", "seed"})


def judge_status(
    status: int, message: str, headers: Mapping[str, str], place: Place, *, dropped: Collection[str], tools: bool
) -> Exception:
    """What an HTTP status means: TryAgainError, UnsupportedError, or the ModelError to end with.

    `dropped` is what was left out already, `tools` whether native tools were sent.
    """
    said = place.clean(message)
    if status in {400, 413, 422, 500} and _TOO_LONG.search(message):
        return too_long(place, said)
    if status in {400, 404, 422, 500, 501} and tools and _NO_TOOLS.search(message):
        return UnsupportedError(frozenset({"tools"}))
    if status in {400, 422}:
        names = _refused(message, dropped)
        if names:
            return UnsupportedError(names)
    if status in {408, 409, 425, 429} or status >= 500:
        if status == 429 and re.search(r"insufficient_quota|billing|exceeded your current quota", message):
            return ModelError(
                f"{place.url} refuses to go on: {said}.",
                hint="Look at the account's quota, or set another KAAJ_BASE_URL.",
            )
        return TryAgainError(f"{place.url} answered {status}: {said}", wait=retry_after(headers))
    return _final(status, said, place)


def too_long(place: Place, said: str) -> ContextTooLongError:
    return ContextTooLongError(
        f"The prompt does not fit into the context window of {place.model} ({said}).",
        window=window_in(said),
        hint="A shorter task or fewer files fit; on a local server, raise its context size.",
    )


def window_in(said: str) -> int:
    """The smallest window that a sentence about one names, in tokens; 0 where it names none."""
    sizes = [int(re.sub(r"[,_]", "", size)) for size in _WINDOW.findall(said)]
    return min((size for size in sizes if size >= 512), default=0)


def judge_event(message: str, place: Place) -> Exception:
    """What an error that comes inside of a stream means."""
    said = place.clean(message)
    if _TOO_LONG.search(message):
        return too_long(place, said)
    return TryAgainError(f"{place.url} broke off with: {said}")


def dead(place: Place, reason: str) -> ModelError:
    """Nothing answers at the URL."""
    start = (
        "Start the model server there (`ollama serve`, `llama-server`, LM Studio, vLLM), "
        if is_loopback(place.url)
        else "Check the network and the address, "
    )
    return ModelError(
        f"No answer from {place.url}: {place.clean(reason)}.",
        hint=f"{start}or set KAAJ_BASE_URL; `kaaj doctor` says what it finds.",
    )


def no_url(url: str) -> ModelError:
    return ModelError(
        f"{url} is no address of an endpoint.",
        hint="Set KAAJ_BASE_URL (or the setting baseUrl) to one like http://127.0.0.1:8000/v1.",
    )


def list_too_long(url: str) -> ModelError:
    return ModelError(
        f"{url} lists more models than is read ({ANSWER_MAX // 1_048_576} MB), and no model is named.",
        hint="Name the model: `kaaj.model` in the settings, or KAAJ_MODEL.",
    )


def not_json(place: Place, beginning: str) -> ModelError:
    title = re.search(r"<title[^>]*>([^<]*)", beginning, re.IGNORECASE)
    what = f"a web page ({place.clean(title[1])!r})" if title else "something that is no chat completion"
    return ModelError(
        f"{place.url} answered with {what}.",
        hint="The base URL is probably wrong: it usually ends with /v1. A proxy's log-in page looks like this too.",
    )


def gave_up(place: Place, tries: int, last: str) -> ModelError:
    return ModelError(
        f"The model's endpoint failed {tries} time{'s' if tries > 1 else ''} in a row; the last: {last}.",
        kept="Nothing of the broken replies was used.",
        hint=f"Try again later, or see whether {place.url} is well (`kaaj doctor`).",
    )


def message_in(body: Json, fallback: str) -> str:
    """The sentence in an error's body, in the forms in which servers write it."""
    if isinstance(body, Mapping):
        members = cast("Mapping[str, Json]", body)
        inner: Json = members.get("error", members)
        if isinstance(inner, str):
            return inner
        if isinstance(inner, Mapping):
            found = cast("Mapping[str, Json]", inner)
            text: Json = found.get("message") or found.get("detail") or fallback
            more = [str(part) for part in (found.get("code"), found.get("param")) if part]
            told = [part for part in more if part not in str(text)]
            return f"{text} ({', '.join(told)})" if told else str(text)
    return fallback


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asks to wait (`Retry-After` in seconds or as a date, `retry-after-ms`)."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(float(value) * scale, 0.0)
        except ValueError:
            try:
                return max((parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds(), 0.0)
            except (ValueError, TypeError):
                continue
    return None


def _refused(message: str, dropped: Collection[str]) -> frozenset[str]:
    if "max_completion_tokens" in message and "max_tokens" not in dropped:
        return frozenset({"max_tokens"})
    spelled = message.replace("repeat_penalty", "repetition_penalty")
    named = frozenset(name for name in OPTIONAL if name in spelled) - set(dropped)
    if named:
        return named
    return _EXTRAS - set(dropped) if _REFUSED.search(message) else frozenset()


def _final(status: int, said: str, place: Place) -> ModelError:
    if status in {401, 403} and not place.key:
        return ModelError(
            f"{place.url} wants a key and none is set ({status}).", hint="Set KAAJ_API_KEY to the key of that service."
        )
    if status in {401, 403}:
        return ModelError(
            f"{place.url} does not accept the key ({status}: {said}).",
            hint="Check KAAJ_API_KEY, and that it belongs to this base URL and may use this model.",
        )
    if status == 402:
        return ModelError(f"{place.url} wants to be paid first: {said}.", hint="Look at the account's balance.")
    if status == 404 and place.models and place.model not in place.models:
        shown = ", ".join(place.models[:20]) + (", …" if len(place.models) > 20 else "")
        return ModelError(f"{place.url} has no model {place.model!r}.", hint=f"Set KAAJ_MODEL to one of: {shown}.")
    if status == 404:
        return ModelError(
            f"{place.url} has no model {place.model!r}, or no chat there at all: {said}.",
            hint="Check KAAJ_MODEL and KAAJ_BASE_URL (it usually ends with /v1).",
        )
    return ModelError(
        f"{place.url} refused the request ({status}): {said}.", hint="`kaaj doctor` tries it step by step."
    )
