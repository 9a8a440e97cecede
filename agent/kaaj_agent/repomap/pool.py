"""Several files tagged at once, by processes that end with the one that started them."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from kaaj_agent.repomap.record import EMPTY, FILE_MAX, Record, key_of, packed, record_of_bytes

_Pipe: TypeAlias = "Connection[Any, Any]"
Tagged: TypeAlias = tuple[str, bytes, Record, bytes]
"""A file's path, the key of its content, its record, and that packed. An unreadable file has an empty key."""

_CHUNK: Final = 32
_AT_ONCE: Final = 2
"""Chunks that a process is given before it has answered: it never waits for work."""
_INLINE: Final = 150
"""With fewer files than this, starting processes takes longer than they save."""


def tag(path: str) -> Tagged:
    """Read and tag one file. Blocks."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - strings: there are thousands
            data = file.read(FILE_MAX + 1)
    except OSError:
        return path, b"", EMPTY, b""
    where = Path(path)
    record = record_of_bytes(where, data)
    return path, key_of(where, data), record, packed(record)


def tag_all(paths: Sequence[str], jobs: int | None = None) -> Iterator[Tagged]:
    """Every file once, in any order. With `jobs` processes, or as many as there are processors (at most 4)."""
    count = jobs if jobs is not None else min(4, os.cpu_count() or 1)
    if len(paths) < _INLINE or count < 2:
        yield from map(tag, paths)
        return
    yield from _by_processes(paths, count)


def _by_processes(paths: Sequence[str], count: int) -> Iterator[Tagged]:
    context = multiprocessing.get_context("spawn")
    chunks = iter([paths[at : at + _CHUNK] for at in range(0, len(paths), _CHUNK)])
    workers: list[_Worker] = []
    try:
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there,), daemon=True)
            process.start()
            there.close()
            workers.append(_Worker(here, process))
            for _ in range(_AT_ONCE):
                workers[-1].give(next(chunks, None))
        while busy := {worker.pipe: worker for worker in workers if worker.given}:
            for pipe in wait(list(busy)):
                worker = busy[cast("_Pipe", pipe)]
                yield from worker.take()
                worker.give(next(chunks, None) if worker.alive else None)
        for chunk in chunks:  # no process is left
            yield from map(tag, chunk)
    finally:
        for worker in workers:
            worker.end()


@dataclass(slots=True)
class _Worker:
    pipe: _Pipe
    process: BaseProcess
    given: deque[Sequence[str]] = field(default_factory=deque["Sequence[str]"])
    """What it has not answered yet."""
    alive: bool = True
    answered: bool = False

    def give(self, chunk: Sequence[str] | None) -> None:
        if chunk is not None:
            self.given.append(chunk)
            try:
                self.pipe.send(chunk)
            except OSError:
                pass  # it is dead, which `take` will see

    def take(self) -> list[Tagged]:
        """What it has finished. After its death its files say nothing: one of them may have killed it; but where it
        never worked at all they are tagged here.
        """
        try:
            found: list[Tagged] = self.pipe.recv()
        except (EOFError, OSError):
            self.alive = False
            lost = [path for chunk in self.given for path in chunk]
            self.given.clear()
            return [(path, b"", EMPTY, b"") for path in lost] if self.answered else [tag(path) for path in lost]
        self.given.popleft()
        self.answered = True
        return found

    def end(self) -> None:
        self.pipe.close()
        self.process.terminate()
        self.process.join()


def _serve(pipe: _Pipe) -> None:
    """A process: chunks of paths come in, what is in them goes out, until nobody is there any more."""
    gc.disable()  # nothing here makes cycles
    try:
        while True:
            pipe.send([tag(path) for path in pipe.recv()])
    except (EOFError, OSError, KeyboardInterrupt):
        return
