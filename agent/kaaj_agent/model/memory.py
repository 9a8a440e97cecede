"""What `kaaj doctor` found out about endpoints, kept per base URL and model in the user's state folder.

A server's own description tells little of what it does with a request: some take `tools` and leave the calls in the
text, some refuse them, some take them and never call. What was tried once is not tried at the start of each session.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast
from urllib.parse import urlsplit, urlunsplit

from kaaj_agent.model.dialects.arguments import is_a
from kaaj_agent.ports import Json

FILE: Final = "endpoints.json"
_KNOWN: Final = frozenset({
    *("tools", "stream_options", "temperature", "top_p", "top_k", "repetition_penalty"),
    *("seed", "stop", "max_tokens", "response_format"),
})  # fmt: skip
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Learned:
    """`without` are the parameters that requests leave out (`tools`: they stand in the text); `dialect` is how the
    model wrote its call, empty where it made none.
    """

    without: frozenset[str] = frozenset()
    dialect: str = ""


class Memory:
    """The file. What cannot be read counts as nothing learned: the endpoint is then found out as it goes."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / FILE

    def of(self, url: str, model: str) -> Learned | None:
        """What is known of a model at a base URL. Reads the file."""
        entry = self._read().get(_key(url, model))
        if not isinstance(entry, Mapping):
            return None
        known = cast("Mapping[str, Json]", entry)
        names: Json = known.get("without")
        without = frozenset(str(name) for name in names) & _KNOWN if is_a(names, list) else frozenset[str]()
        return Learned(without, str(known.get("dialect") or ""))

    def keep(self, url: str, model: str, learned: Learned | None) -> None:
        """Remember it in place of what was known; None forgets. Raises OSError."""
        entries = self._read()
        entries.pop(_key(url, model), None)
        if learned is not None:
            entries[_key(url, model)] = {"without": sorted(learned.without), "dialect": learned.dialect}
        kept = dict(list(entries.items())[-_MOST:])
        self._path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{FILE}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=2)
            Path(name).replace(self._path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def _read(self) -> dict[str, Json]:
        try:
            found: Json = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return dict(cast("Mapping[str, Json]", found)) if isinstance(found, Mapping) else {}


def _key(url: str, model: str) -> str:
    """Without a name and password that someone put into the URL, or a key in its query."""
    parts = urlsplit(url)
    return f"{urlunsplit((parts.scheme, parts.netloc.rpartition('@')[2], parts.path.rstrip('/'), '', ''))} {model}"
