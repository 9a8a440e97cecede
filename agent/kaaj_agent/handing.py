"""What bubblewrap is handed beside its arguments: a filter for system calls, and a line on which it reports."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Final, Self

from kaaj_agent.bubblewrap import in_memory

_REPORT_MAX: Final = 65_536
_ENDED: Final = b'"exit-code"'
"""Bubblewrap reports it only for a command that it has started. What a command prints cannot look like it."""


class Handing:
    """Descriptors for one start of bubblewrap. None for `rules`: nothing is handed, as there is no bubblewrap."""

    def __init__(self, rules: bytes | None) -> None:
        self._rules = rules
        self._ours: list[int] = []
        self._theirs: list[int] = []
        self.flags: list[str] = []

    def __enter__(self) -> Self:
        if self._rules is None:
            return self
        try:
            reading, writing = os.pipe()
            self._ours.append(reading)
            self._theirs.append(writing)
            os.set_blocking(reading, False)
            self.flags += ["--json-status-fd", str(writing)]
            if self._rules:
                self._theirs.append(in_memory(self._rules))
                self.flags += ["--seccomp", str(self._theirs[-1])]
        except BaseException:
            self._close(self._ours, self._theirs)
            raise
        return self

    @property
    def descriptors(self) -> tuple[int, ...]:
        return tuple(self._theirs)

    def handed(self) -> None:
        """The process has its own copies now."""
        self._close(self._theirs)

    def was_set_up(self) -> bool:
        """After the end: whether the command itself was started."""
        if not self._ours:
            return True
        try:
            return _ENDED in os.read(self._ours[0], _REPORT_MAX)
        except BlockingIOError:
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self._ours, self._theirs)

    @staticmethod
    def _close(*groups: list[int]) -> None:
        for group in groups:
            while group:
                os.close(group.pop())
