"""Waiting for a state, never for a time."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
SECONDS = 20.0


@overload
async def until(what: str, look: Callable[[], Coroutine[Any, Any, T]], seconds: float = ...) -> T: ...
@overload
async def until(what: str, look: Callable[[], T], seconds: float = ...) -> T: ...
async def until(what: str, look: Callable[[], Any], seconds: float = SECONDS) -> Any:
    """Look again and again until it is something true, and return that. `what` is told when it never is."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        seen: Awaitable[Any] | Any = look()
        value = await seen if inspect.isawaitable(seen) else seen
        if value:
            return value
        if loop.time() > end:
            raise AssertionError(f"never: {what} (last seen: {value!r})")
        await asyncio.sleep(0.05)
