"""The version of the protocol, which a client names in `capabilities.experimental.kaaj.version`."""

from __future__ import annotations

from typing import Final

PROTOCOL_VERSION: Final = 1
"""Raised when a client of the version before would be misled. New event types, and new fields in results and events,
are no reason: a client skips what it does not know."""
