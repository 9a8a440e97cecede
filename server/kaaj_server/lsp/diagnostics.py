"""The problems that the editor shows, as far as it has told: with code-action requests and with `kaaj.fix`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kaaj_agent.ports import Diagnostic
from kaaj_agent.world import World


class EditorDiagnostics:
    """The `Diagnoser` of the language server. What is known of a file is forgotten when its text changes."""

    def __init__(self, world: World) -> None:
        self._known: dict[Path, dict[Diagnostic, None]] = {}
        world.listen(self._forget)

    def tell(self, path: Path, found: Sequence[Diagnostic]) -> None:
        """Problems of some part of a file; they are added to what is known of its present text."""
        if found:
            self._known.setdefault(path, {}).update(dict.fromkeys(found))

    def of(self, path: Path) -> tuple[Diagnostic, ...]:
        return tuple(sorted(self._known.get(path, ()), key=lambda one: (one.line, one.column)))

    async def diagnostics(self, path: Path | None) -> Sequence[Diagnostic]:
        if path is not None:
            return self.of(path)
        return [one for known in sorted(self._known) for one in self.of(known)]

    def _forget(self, path: Path) -> None:
        self._known.pop(path, None)
