"""Logging to a pipe that nobody reads."""

from __future__ import annotations

import contextlib
import logging
import os
import time

import pytest

from kaaj_server import patient_log
from kaaj_server.patient_log import PatientHandler


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("x", logging.WARNING, "f", 1, text, None, None)


def test_rows_come_out_in_order() -> None:
    reading, writing = os.pipe()
    handler = PatientHandler(writing)
    for number in range(50):
        handler.emit(record(f"row {number} \ud800"))
    handler.flush()
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        assert [line.split(" ?")[0].strip() for line in pipe] == [f"row {number}" for number in range(50)]


def test_a_full_pipe_holds_nobody_up_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_log, "_END_SECONDS", 0.05)
    reading, writing = os.pipe()
    handler = PatientHandler(writing)
    for _ in range(5_000):
        handler.emit(record("x" * 200))
    handler.flush()  # gives up
    os.set_blocking(reading, False)
    got = b""
    while handler._rows.unfinished_tasks:
        try:
            got += os.read(reading, 65_536)
        except BlockingIOError:
            time.sleep(0.001)
    with contextlib.suppress(BlockingIOError):
        got += os.read(reading, 1_048_576)
    os.close(reading)
    assert b"rows were left out" in got
    assert got.count(b"\n") < 5_000
    os.close(writing)


def test_what_cannot_be_formatted_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    handler = PatientHandler(os.open(os.devnull, os.O_WRONLY))
    handler.emit(logging.LogRecord("x", logging.WARNING, "f", 1, "%d", ("no number",), None))
    handler.emit(record("fine"))
    handler.flush()
    assert handler._rows.unfinished_tasks == 0
