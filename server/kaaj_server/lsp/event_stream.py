"""The event stream `kaaj/event`, for clients that declare it.

Every event of the agent is one notification, since `seq` has no gaps. A flood costs little all the same: an event is
turned into JSON once, the loop only queues it, and the writer sends all that has gathered with one flush.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kaaj_agent.events import Event
from kaaj_protocol import names
from kaaj_server.convert import Convert


class EventStream:
    """Sends each event through `tell(method, params)`."""

    def __init__(self, convert: Convert, tell: Callable[[str, Any], None]) -> None:
        self._convert = convert
        self._tell = tell

    def heard(self, event: Event) -> None:
        self._tell(names.EVENT, self._convert.event(event))
