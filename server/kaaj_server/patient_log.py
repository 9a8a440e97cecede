"""A log on a descriptor whose reader may be slow or asleep: it never holds up who logs.

An editor that does not read its server's stderr would otherwise stop the server at the first full pipe. A thread
writes; beyond `ROWS_MAX` waiting rows further ones are counted instead of kept, and the count is told.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import Final

ROWS_MAX: Final = 1_000
_END_SECONDS: Final = 1.0


class PatientHandler(logging.Handler):
    """Writes to `descriptor`, straight: no buffer whose lock an ending process would have to wait for."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._rows: queue.Queue[str] = queue.Queue(ROWS_MAX)
        self._left_out = 0
        self._thread: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            row = self.format(record)
        except Exception:  # noqa: BLE001 - as every handler: what cannot be formatted must not end a task
            self.handleError(record)
            return
        if self._thread is None:  # the handler's own lock is held
            self._thread = threading.Thread(target=self._run, name="kaaj-log", daemon=True)
            self._thread.start()
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self._left_out += 1

    def flush(self) -> None:
        """Wait until all is written, a second at most: this is called at the end of the process."""
        until = time.monotonic() + _END_SECONDS
        while self._rows.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.01)

    def _run(self) -> None:
        while True:
            row = self._rows.get()
            left_out, self._left_out = self._left_out, 0
            if left_out:
                row += f"\n({left_out} rows were left out: nobody read them in time)"
            try:
                data = f"{row}\n".encode(errors="replace")
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:  # nobody reads any more
                pass
            finally:
                self._rows.task_done()
