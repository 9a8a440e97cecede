"""Changes reach the user's files through the client alone: asked for once, believed when its text shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from kaaj_agent import disk
from kaaj_agent.changes import ChangeSet
from kaaj_agent.document import Document
from kaaj_agent.failures import ApplyError, FileError, MissingFileError, OutsideError, StaleError
from kaaj_agent.ports import Written
from kaaj_agent.world import World
from kaaj_server.convert import Convert
from kaaj_server.edits import workspace_edit
from kaaj_server.lsp.features import Features
from kaaj_server.lsp.json_values import an_object
from kaaj_server.lsp.protocol import RequestFailedError

Json: TypeAlias = Any
_POLL: Final = 0.2
"""Seconds between two looks at files that the client does not have open."""


@dataclass(slots=True)
class Route:
    """Another way for one task's change: the edit is handed to `edit` instead of being asked for."""

    edit: asyncio.Future[Json]
    confirm: bool


@dataclass(slots=True)
class Waits:
    """Seconds. `settle`: for the text, once the client has answered. `answer`: for a client that says nothing.
    `person`: for a client that was asked to let the person confirm.
    """

    settle: float = 10.0
    answer: float = 30.0
    person: float = 600.0


@dataclass(slots=True)
class Arrivals:
    """The texts that have come since an edit was asked for. One that came counts, whatever is typed or formatted right
    after it: the two changes may well arrive together.
    """

    world: World
    expected: dict[Path, str | None]
    touched: asyncio.Event = field(default_factory=asyncio.Event)
    seen: set[Path] = field(default_factory=set[Path])
    moved: set[Path] = field(default_factory=set[Path])
    """The paths whose text has changed, whatever it is now."""

    def heard(self, path: Path) -> None:
        now = self.world.buffer(path) if path in self.expected else None
        if now is not None:
            self.moved.add(path)
            if now.digest == self.expected[path]:
                self.seen.add(path)
        self.touched.set()


@dataclass
class ClientApplier:
    """The `Applier` port over `workspace/applyEdit`. `ask(method, params)` is a request to the client."""

    world: World
    convert: Convert
    features: Features
    ask: Callable[[str, Json], Awaitable[Json]]
    waits: Waits = field(default_factory=Waits)
    routes: dict[str, Route] = field(default_factory=dict[str, Route])
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client says that it has done an edit; whoever waits for it clears it before."""
    _handed_out: set[asyncio.Future[None]] = field(default_factory=set["asyncio.Future[None]"])

    def give_way(self) -> None:
        """Stop waiting for edits that were handed out and that the person perhaps discarded: a decision has come."""
        for one in self._handed_out:
            if not one.done():
                one.set_result(None)

    async def apply(self, change: ChangeSet) -> Written:
        """Raises StaleError where a base is not what it was, ApplyError where the client does not do it."""
        expected = change.after
        if not await self._missing(expected):
            return Written(expected)
        await self._compare(change)
        route = self.routes.pop(change.task, None)
        edit = workspace_edit(change, self.convert, self.features, confirm=route is not None and route.confirm)
        async with self._arrivals(expected) as arrivals:
            if route is not None and not route.edit.done():
                route.edit.set_result(edit)
                limit = self.waits.person if route.confirm else self.waits.answer
                await self._settle_handed_out(arrivals, limit)
            else:
                if not self.features.apply_edit:
                    raise ApplyError(
                        "This editor does not take edits from a language server (`workspace.applyEdit`).",
                        kept="Nothing was written; the proposal is kept.",
                        hint="Take it over from the diff, or run the task with `kaaj run`.",
                    )
                label = change.summary.strip().partition("\n")[0][:80] or "Kaaj"
                answer = asyncio.ensure_future(self.ask("workspace/applyEdit", {"label": label, "edit": edit}))
                try:
                    await self._settle(arrivals, answer, self.waits.answer)
                finally:
                    if not answer.done():
                        answer.cancel()
                    elif not answer.cancelled():
                        answer.exception()  # seen: a late error is no news
        return Written(expected)

    # --- before ----------------------------------------------------------------------------------------------------

    async def _compare(self, change: ChangeSet) -> None:
        """Raises StaleError, and OutsideError where a folder became a link, through which the client would write.

        The disk is read first and the editor's texts are looked at last, in one go: the edit is made for these, under
        their versions, before another keystroke can come in.
        """
        on_disk: dict[Path, Document | None] = {}
        places = dict.fromkeys(path for one in change.files for path in (one.path, one.target))
        if linked := await asyncio.to_thread(_behind_links, places):
            names = ", ".join(map(self.world.folders.name_of, linked))
            raise OutsideError(f"{names} stands behind a link by now; nothing was written.", path=names)
        for one in change.files:
            for path in {one.path, one.target}:
                if self.world.buffer(path) is None:
                    on_disk[path] = await self._now(path)

        def now(path: Path) -> Document | None:
            return self.world.buffer(path) or on_disk.get(path)

        stale: list[str] = []
        for one in change.files:
            found = now(one.path)
            before = one.before.digest if one.before else None
            taken = one.new_path is not None and now(one.new_path) is not None
            if (found.digest if found else None) != before or taken:
                stale.append(self.world.folders.name_of(one.path))
        if stale:
            raise StaleError(
                f"{', '.join(stale)} changed since the proposal was made.",
                paths=tuple(stale),
                kept="Nothing was written.",
                hint="Start the task again on the new text.",
            )

    async def _now(self, path: Path) -> Document | None:
        buffer = self.world.buffer(path)
        if buffer is not None:
            return buffer
        try:
            return await asyncio.to_thread(disk.read, path)
        except MissingFileError:
            return None

    # --- after -----------------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _arrivals(self, expected: dict[Path, str | None]) -> AsyncGenerator[Arrivals]:
        arrivals = Arrivals(self.world, expected)
        end = self.world.listen(arrivals.heard)
        try:
            yield arrivals
        finally:
            end()

    async def _settle_handed_out(self, arrivals: Arrivals, limit: float) -> None:
        """As `_settle`, for an edit that nobody will answer."""
        given_way: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._handed_out.add(given_way)
        try:
            await self._settle(arrivals, None, limit, given_way)
        finally:
            self._handed_out.discard(given_way)

    async def _settle(
        self,
        arrivals: Arrivals,
        answer: asyncio.Future[Json] | None,
        limit: float,
        given_way: asyncio.Future[None] | None = None,
    ) -> None:
        """Until the client's text was what it should be: an answer alone proves nothing, the text alone is enough."""
        expected, touched = arrivals.expected, arrivals.touched
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        heard = False
        while True:
            touched.clear()
            missing = [path for path in await self._missing(expected) if path not in arrivals.seen]
            if not missing:
                return
            if answer is not None and answer.done() and not heard:
                heard = True
                self._refused(answer, expected, missing)
                self.answered.set()
                deadline = loop.time() + self.waits.settle
            left = deadline - loop.time()
            if left <= 0 or (given_way is not None and given_way.done()):
                if heard and arrivals.moved.issuperset(missing):
                    raise self._changed_otherwise(missing)
                said = (
                    "The editor says that it applied the change" if heard else "The editor has not applied the change"
                )
                raise self._error(said, expected, missing)
            waiting: list[asyncio.Future[Any]] = [asyncio.ensure_future(touched.wait())]
            if answer is not None and not heard:
                waiting.append(answer)
            if given_way is not None:
                waiting.append(given_way)
            await asyncio.wait(waiting, timeout=min(left, _POLL), return_when=asyncio.FIRST_COMPLETED)
            waiting[0].cancel()

    def _refused(self, answer: asyncio.Future[Json], expected: dict[Path, str | None], missing: list[Path]) -> None:
        """Raises ApplyError where the client's answer is a no."""
        try:
            result = answer.result()
        except RequestFailedError as error:
            raise self._error(str(error).rstrip("."), expected, missing) from error
        said = an_object(result)
        if said.get("applied") is not True:
            reason = said.get("failureReason")
            why = f": {reason}" if reason else ""
            raise self._error(f"The editor refused the change{why}", expected, missing)

    def _changed_otherwise(self, missing: list[Path]) -> ApplyError:
        """Whose text that is cannot be known: it is neither taken for the change nor taken back."""
        names = ", ".join(self.world.folders.name_of(path) for path in missing)
        return ApplyError(
            f"The editor says that it applied the change, but {names} got another text than the proposed one; perhaps "
            "something formats it at once.",
            kept="The text is as the editor shows it; the proposal is kept.",
            hint="Undo it in the editor, or reject the proposal where the text is right as it is.",
        )

    def _error(self, said: str, expected: dict[Path, str | None], missing: list[Path]) -> ApplyError:
        """Says what is known of each file."""
        name = self.world.folders.name_of
        arrived = [name(path) for path in expected if path not in missing]
        other = ", ".join(name(path) for path in missing)
        if not arrived:
            return ApplyError(
                f"{said}; {other} {'does' if len(missing) == 1 else 'do'} not have the new text.",
                kept="The proposal is kept.",
                hint="Look at the files, then apply it again or reject it.",
            )
        return ApplyError(
            f"{said}, but only in part: {', '.join(arrived)} has the new text, {other} has not.",
            kept="The proposal is kept.",
            hint="Undo in the editor what came through, or apply it again.",
        )

    async def _missing(self, expected: dict[Path, str | None]) -> list[Path]:
        """The paths that do not have what they should."""
        wrong: list[Path] = []
        for path, digest in expected.items():
            if digest is None:
                if self.world.buffer(path) is not None or await asyncio.to_thread(path.exists):
                    wrong.append(path)
                continue
            try:
                now = await self._now(path)
            except FileError:
                now = None
            if now is None or now.digest != digest:
                wrong.append(path)
        return wrong


def _behind_links(paths: Iterable[Path]) -> list[Path]:
    """Those of some resolved paths that lead elsewhere by now."""
    found: list[Path] = []
    for path in paths:
        try:
            if path.resolve() != path:
                found.append(path)
        except (OSError, RuntimeError):  # RuntimeError: a loop of links, before Python 3.13
            found.append(path)
    return found
