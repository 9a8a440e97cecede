"""Requests to the model: shown as they stream, counted, and within the task's limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from kaaj_agent import events as ev
from kaaj_agent.failures import KaajError
from kaaj_agent.limits import Limits
from kaaj_agent.ports import CallReady, Message, Model, Profile, Reply, Request, Restart, TextDelta, ToolCall, Usage
from kaaj_agent.prompt import sound
from kaaj_agent.prose import Prose
from kaaj_agent.redaction import WITHHELD
from kaaj_agent.session import Session

SMALLEST: Final = 1_024
"""Tokens of a window; whoever says less is not believed."""


class Watcher(Protocol):
    """Hears of calls before the reply has ended."""

    async def ready(self, call: ToolCall) -> None:
        """A call is complete so far; the reply that it stands in may still turn out to be void."""
        ...

    def void(self) -> None:
        """The reply counts for nothing: what came of its calls is taken back."""
        ...


@dataclass(slots=True)
class Asking:
    """One task's way to the model. `window` is the context window in tokens, as far as it is known by now."""

    session: Session
    task: str
    model: Model
    profile: Profile
    limits: Limits
    window: int = field(init=False)

    def __post_init__(self) -> None:
        known = self.session.windows.get(self.profile.model, self.profile.window)
        self.window = min(known, self.profile.window)

    @property
    def reply_room(self) -> int:
        """Tokens that a reply may take: servers refuse a prompt that leaves less than they were asked for."""
        return min(self.profile.max_tokens, max(self.window // 4, 256))

    def shrink(self, window: int) -> None:
        """The window turned out to be smaller than it was taken to be; in tokens."""
        self.window = self.session.windows[self.profile.model] = max(min(self.window, window), SMALLEST)

    async def stream(
        self,
        request: Request,
        *,
        remember: bool,
        show: bool = True,
        watcher: Watcher | None = None,
        own_context: bool = False,
    ) -> Reply:
        """One request. Raises ModelError, LimitReachedError.

        `remember`: what came before a cancellation is kept in the session's prompt. `show`: its prose is told as it
        streams. `own_context`: the prompt is none of the session's, so it says nothing about how full that is.
        """
        self.limits.step()
        request = self._without_secrets(request)
        shown: list[str] = []
        reply: Reply | None = None
        prose = Prose(
            lambda text: self.session.emit(ev.TextAdded(self.task, sound(text))), unfinished=WITHHELD.unfinished
        )
        until = asyncio.timeout(self.limits.left)
        try:
            async with until:
                async for item in self.model.stream(request):
                    match item:
                        case TextDelta(text=text):
                            shown.append(text)
                            if show:
                                prose.add(text)
                        case CallReady(call=call):
                            if watcher is not None:
                                await watcher.ready(call)
                        case Restart():
                            shown.clear()
                            prose.drop()
                            if watcher is not None:
                                watcher.void()
                            if show:
                                self.session.emit(ev.TextAdded(self.task, "", reset=True))
                        case Reply():
                            reply = item
                        case _:
                            pass
        except BaseException as error:
            if watcher is not None:
                watcher.void()
            if remember and isinstance(error, asyncio.CancelledError):
                self.session.say(Message("assistant", "".join(shown) + "\n[cancelled by the user]"))
            if isinstance(error, TimeoutError) and until.expired():
                raise self.limits.too_long() from None
            raise
        finally:
            prose.flush()
        if reply is None:
            if watcher is not None:
                watcher.void()
            raise KaajError("The model's stream ended without a reply.", kept="Nothing was changed by it.")
        self.spend(reply.usage, own_context=own_context)
        return replace(reply, text=sound(reply.text))

    def _without_secrets(self, request: Request) -> Request:
        """Messages that are not the session's, which are looked at as they are said, may hold keys still."""
        said = set(map(id, self.session.messages))
        cleaned = tuple(
            one if id(one) in said else replace(one, content=WITHHELD.text(one.content)) for one in request.messages
        )
        return replace(request, messages=cleaned)

    def spend(self, usage: Usage, *, own_context: bool = False) -> None:
        """Count tokens of this task, and tell."""
        self.limits.usage = self.limits.usage + usage
        used = usage.prompt + usage.completion if usage.requests == 1 else 0
        if own_context:
            used = self.session.tasks[self.task].used
        prices = self.limits.settings.prices
        cost = 0.0 if self.profile.embedded else prices.cost(self.limits.usage) if prices else None
        self.session.emit(ev.UsageAdded(self.task, self.limits.usage, used, self.window, cost))
