"""`codeAction/resolve`: a task whose outcome is the action's edit.

Where the client lets the person confirm annotated edits, the edit is given at once and the client shows it; elsewhere
the person is asked by the server first, and the edit is given when they say yes. Either way the change counts as
applied only when the client's text shows it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from kaaj_agent import events as ev
from kaaj_agent.changes import Proposed
from kaaj_agent.failures import KaajError
from kaaj_agent.request import StartRequest
from kaaj_protocol import names
from kaaj_protocol.commands import FixArgument, InvalidArgumentError, StartArgument, parse_argument
from kaaj_server.lsp.apply import Route
from kaaj_server.lsp.json_values import an_object
from kaaj_server.lsp.protocol import InvalidParamsError, RequestFailedError

if TYPE_CHECKING:
    from kaaj_agent.request import Intent
    from kaaj_server.lsp.engine import Engine

Json: TypeAlias = Any
RESOLVE_SECONDS: Final = 300.0
"""After that the request fails; the task goes on, and its change is proposed in the ordinary way."""
_log: Final = logging.getLogger(__name__)


class Resolving:
    """Owns the tasks that resolve an action."""

    def __init__(self, engine: Engine, limit: float = RESOLVE_SECONDS) -> None:
        self._engine = engine
        self._limit = limit

    async def resolve(self, action: Json) -> Json:
        """The action with its `edit`. An action of another kind comes back as it was."""
        chosen = an_object(action)
        wish = an_object(an_object(chosen.get("data")).get(names.SECTION))
        if not wish or "edit" in chosen:
            return action
        request = self._request(dict(wish))
        outcome: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        route = Route(outcome, confirm=self._engine.server.features.annotations)
        started = await self._engine.agent.start(request)
        self._engine.applier.routes[started.task] = route
        end = self._engine.agent.subscribe(lambda event: self._heard(event, started.task, route))
        try:
            async with asyncio.timeout(self._limit):
                return {**chosen, "edit": await outcome}
        except TimeoutError:
            raise RequestFailedError(
                f"Kaaj is still at it after {self._limit:.0f} s. It goes on, and proposes the change when it is ready."
            ) from None
        except asyncio.CancelledError:
            self._engine.server.own(self._cancel(started.task))
            raise
        finally:
            end()
            self._engine.applier.routes.pop(started.task, None)

    def _request(self, wish: dict[str, Json]) -> StartRequest:
        intent = cast("Intent", wish.pop("intent", "task"))
        command = wish.pop("command", names.START)
        try:
            argument = parse_argument(command, [wish])
        except (InvalidArgumentError, KeyError) as error:
            raise InvalidParamsError(f"data: {error}", "data") from None
        match argument:
            case FixArgument():
                path = self._engine.convert.path(argument.uri)
                return self._engine.convert.fix(argument, self._engine.diagnostics.of(path), "ask")
            case StartArgument():
                return self._engine.convert.start(argument, "ask", intent)
            case _:
                raise InvalidParamsError("data: names no work", "data")

    def _heard(self, event: ev.Event, task: str, route: Route) -> None:
        body = event.body
        if body.task != task or route.edit.done():
            return
        match body:
            case ev.ChangeChanged(change=change) if isinstance(change.state, Proposed) and route.confirm:
                self._engine.server.own(self._accept(change.id, change.digest, route))
            case ev.TaskFinished() if self._engine.plain is not None:
                route.edit.set_result({"changes": {}})  # why is told already, in words; an error would tell it as one
            case ev.TaskFinished(summary=summary):
                route.edit.set_exception(RequestFailedError(summary or "There is nothing to change here."))
            case _:
                pass

    async def _accept(self, change: str, digest: str, route: Route) -> None:
        """The edit goes out through the route; then the client's text is waited for, which may take a person's time."""
        try:
            await self._engine.agent.accept(change, digest)
        except KaajError as error:
            if not route.edit.done():
                route.edit.set_exception(error)
            else:
                _log.info("an edit that was given out was not applied: %s", error)

    async def _cancel(self, task: str) -> None:
        try:
            await self._engine.agent.cancel(task)
        except KaajError as error:
            _log.info("cancelling %s: %s", task, error)
