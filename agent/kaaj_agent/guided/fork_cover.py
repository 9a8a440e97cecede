"""Runs in a fork of the check's command: tells which lines of the project's own functions each test executes.

Standard library alone, and no syntax newer than Python 3.8. Each line of the file named to `begin` is one JSON value:
`{"test", "file", "ok", "lines": {path: [numbers]}}` for a test, as soon as it ends; `{"lines": ...}` for what ran
between tests since (imports of modules apart, whose lines say nothing). At most `_PASSING` passing tests a file are
told of; tests named in `wanted` always are.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from types import CodeType, FrameType

_PASSING = 20
_SIZE_MAX = 4000000
_OPTIMIZED = 1  # co_flags of functions, which bodies of modules and classes lack


class Cover:
    """What is executed, by file; one test at a time."""

    def __init__(self, path: str, roots: Collection[str], wanted: Collection[str]) -> None:
        self.out = open(path, "w", encoding="utf-8")
        self.roots = tuple(root.rstrip(os.sep) + os.sep for root in roots)
        self.wanted = frozenset(wanted)
        self.mine: dict[str, str | None] = {}
        self.lines: dict[str, set[int]] = {}
        self.told: dict[str, set[int]] = {}
        self.count: dict[str, int] = {}
        self.size = 0
        self.off = False
        self.monitor: Any = None

    def file_of(self, code: CodeType) -> str | None:
        """The absolute path of a function's file; None for what is not the project's, or no function."""
        if not code.co_flags & _OPTIMIZED:
            return None
        name = code.co_filename
        try:
            return self.mine[name]
        except KeyError:
            path = os.path.abspath(name) if name.endswith(".py") else ""
            installed = "site-packages" in path or "dist-packages" in path
            found = self.mine[name] = path if path.startswith(self.roots) and not installed else None
            return found

    def start(self) -> bool:
        """False where another tool traces already."""
        if sys.version_info >= (3, 12):
            return self._monitor()
        if sys.gettrace() is not None:
            return False
        sys.settrace(self._called)
        return True

    def _monitor(self) -> bool:
        monitoring: Any = vars(sys)["monitoring"]
        events = monitoring.events
        tool = next((number for number in (4, 3, 1) if monitoring.get_tool(number) is None), None)
        if tool is None:
            return False
        self.monitor = monitoring
        done = monitoring.DISABLE

        def started(code: CodeType, _offset: int) -> object:
            if self.file_of(code) is not None:
                monitoring.set_local_events(tool, code, events.LINE)
            return done

        def line(code: CodeType, number: int) -> object:
            path = self.file_of(code)
            if path is not None and not self.off:
                self.lines.setdefault(path, set()).add(number)
            return done

        monitoring.use_tool_id(tool, "check_fork")
        monitoring.register_callback(tool, events.PY_START, started)
        monitoring.register_callback(tool, events.LINE, line)
        monitoring.set_events(tool, events.PY_START)
        return True

    def _called(self, frame: FrameType, _event: str, _argument: object) -> Any:
        path = self.file_of(frame.f_code)
        if path is None or self.off:
            return None
        held = self.lines

        def local(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal held
            if event == "line":
                if held is not self.lines:
                    held = self.lines
                held.setdefault(path, set()).add(frame.f_lineno)
            return local

        return local

    def enter(self, test: str, file: str) -> None:
        """A test begins. What ran before it belongs to none."""
        self._tell({"lines": self._fresh()})
        self.lines = {}
        self.off = test not in self.wanted and self.count.get(file, 0) >= _PASSING
        if self.monitor is not None:
            self.monitor.restart_events()

    def leave(self, test: str, file: str, ok: bool) -> None:
        """The test has ended."""
        if not self.off:
            self.count[file] = self.count.get(file, 0) + ok
            lines = {path: sorted(found) for path, found in self.lines.items()}
            self._tell({"test": test, "file": file, "ok": ok, "lines": lines})
        self.lines = {}
        self.off = False
        if self.monitor is not None:
            self.monitor.restart_events()

    def _fresh(self) -> dict[str, list[int]]:
        fresh: dict[str, list[int]] = {}
        for path, found in self.lines.items():
            new = found - self.told.setdefault(path, set())
            if new:
                fresh[path] = sorted(new)
                self.told[path] |= new
        return fresh

    def _tell(self, what: dict[str, Any]) -> None:
        if what.get("lines") or "test" in what:
            text = json.dumps(what) + "\n"
            self.size += len(text)
            if self.size < _SIZE_MAX:
                self.out.write(text)
                self.out.flush()


def _bare(name: str) -> str:
    return name.split("[", 1)[0]


def _of_unittest(cover: Cover) -> None:
    from unittest.case import TestCase

    plain = TestCase.run

    def bad(result: object) -> int:
        kinds = ("failures", "errors", "unexpectedSuccesses")
        return sum(len(getattr(result, kind, ())) for kind in kinds)

    def run(self: TestCase, result: Any = None) -> Any:
        if result is None:
            return plain(self)
        name = getattr(self, "_testMethodName", "")
        file = getattr(sys.modules.get(type(self).__module__), "__file__", None) or ""
        before = bad(result)
        cover.enter(name, file)
        try:
            return plain(self, result)
        finally:
            cover.leave(name, file, bad(result) == before)

    TestCase.run = run  # type: ignore[method-assign]  # it is wrapped, for this fork alone


def _of_pytest(cover: Cover, plugin: dict[str, Any]) -> None:
    import pytest

    held: dict[str, dict[str, set[int]]] = {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(item: Any) -> Generator[None, Any, None]:
        cover.enter(_bare(item.name), str(item.fspath))
        yield
        held["lines"], cover.lines = cover.lines, {}

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(item: Any, call: Any) -> Generator[None, Any, None]:
        outcome = yield
        if call.when == "call" and "lines" in held:
            cover.lines = held.pop("lines")
            cover.leave(_bare(item.name), str(item.fspath), not outcome.get_result().failed)

    plugin["pytest_runtest_call"] = pytest_runtest_call
    plugin["pytest_runtest_makereport"] = pytest_runtest_makereport


def begin(path: str, roots: Collection[str], wanted: Collection[str], plugin: dict[str, Any] | None) -> None:
    """Trace from now on. `plugin` are the globals of pytest's plugin that is being imported; None for unittest."""
    cover = Cover(path, roots, wanted)
    if not cover.start():
        return
    if plugin is None:
        _of_unittest(cover)
    else:
        _of_pytest(cover, plugin)
