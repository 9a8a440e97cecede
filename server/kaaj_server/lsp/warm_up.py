"""The imports that are kept off the way to `initialize`, done in a thread."""

from __future__ import annotations

import importlib
import sys
import time
from types import ModuleType
from typing import Final

STEPS: Final = (
    "pydantic",
    "kaaj_protocol.commands",
    "kaaj_protocol.settings",
    "kaaj_agent.agent",
    "kaaj_agent.task_run",  # all that the first task would import on the event loop
    "kaaj_agent.connect",
    "kaaj_server.convert",
    "kaaj_server.lsp.engine",
)
_PAUSE: Final = 0.002
"""Seconds between two imports, in which the event loop has the interpreter to itself."""


def import_engine() -> ModuleType:
    """Import step by step, with a shorter switch interval meanwhile, so that keystrokes do not wait."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.001)
    try:
        for name in STEPS:
            importlib.import_module(name)
            time.sleep(_PAUSE)
    finally:
        sys.setswitchinterval(before)
    return sys.modules[STEPS[-1]]
