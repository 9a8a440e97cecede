"""A bound on what an endpoint can make us hold: a reply is read line by line, and a line needs not end.

What a reply may say is bounded elsewhere (`Limits.characters`); this is about bytes of which nothing was read yet.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from typing import Any, Final

LINE_MAX = 32 * 1024 * 1024
"""Bytes without an end of line."""

BODY_MAX = 512 * 1024 * 1024
"""Bytes of one answer."""

WHOLE_MAX = 4 * 1024 * 1024
"""Bytes of an answer that is no stream (JSON, a page, an error): it is parsed in one go, and nothing else runs then."""

TOO_MUCH: Final = "sent more than is read of one reply"

_BAD: Final = 400


async def bound(response: Any) -> None:
    """A hook of httpx2's: the body of this response raises a ReadError where it is over one of the bounds."""
    httpx: Any = importlib.import_module("httpx2")
    inner: Any = response.stream
    kind = str(response.headers.get("content-type", "")).lower()
    in_one_go = response.status_code >= _BAD or "json" in kind or "html" in kind
    most = min(WHOLE_MAX, BODY_MAX) if in_one_go else BODY_MAX

    class Bounded(httpx.AsyncByteStream):  # type: ignore[misc]  # httpx2 is only imported on use
        async def __aiter__(self) -> AsyncIterator[bytes]:
            whole = line = 0
            async for part in inner:
                whole += len(part)
                end = part.rfind(b"\n")
                line = line + len(part) if end < 0 else len(part) - end - 1
                if whole > most or line > LINE_MAX:
                    raise httpx.ReadError(TOO_MUCH)
                yield part

        async def aclose(self) -> None:
            await inner.aclose()

    response.stream = Bounded()
