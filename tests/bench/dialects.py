"""The dialect table: each form whole, by single characters, and cut at every byte.

`python tests/bench/dialects.py` prints how many of the complete replies were executed (as they were meant) and how
many of the cut ones (must be 0): cut by the connection or a limit at every byte, and ended cleanly, as if complete,
at every byte before the call is. Forms and repairs are those of tests/unit/test_dialects.py. Exits 1 on a miss.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

from kaaj_agent.model.dialects import ReplyReader
from kaaj_agent.model.wire import call_text
from kaaj_agent.ports import ToolCall


def forms() -> Any:
    """The module with the forms: one list for the tests and for this table."""
    path = Path(__file__).parents[1] / "unit" / "test_dialects.py"
    spec = importlib.util.spec_from_file_location("dialect_forms", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def native(module: Any, cut: int, finish: str | None, size: int = 0) -> int:
    """How many native calls are executed of one whose arguments are cut."""
    raw = json.dumps(module.READ)[:cut]
    reader = ReplyReader(module.TOOLS)
    reader.feed_native(0, "a", "read", "")
    step = size or max(len(raw), 1)
    for at in range(0, len(raw), step):
        reader.feed_native(0, "", "", raw[at : at + step])
    calls = [call for call in reader.finish(finish).calls if not call.error]
    assert all(call.arguments == module.READ for call in calls)
    return len(calls)


def main() -> int:
    module = forms()
    rows: list[tuple[str, int, int, int, int, int, int]] = []

    def good(chunks: list[str], finish: str | None) -> int:
        calls = module.executable(module.read_in(chunks, finish)[0])
        assert all(call.arguments == module.READ for call in calls)
        return len(calls)

    raw = json.dumps(module.READ)
    whole = native(module, len(raw), "tool_calls")
    single = native(module, len(raw), "tool_calls", 1)
    lost = sum(native(module, at, finish) for at in range(len(raw) + 1) for finish in (None, "length"))
    clean = sum(native(module, at, "tool_calls") for at in range(len(raw)))
    rows.append(("native tool_calls", whole, single, 2 * len(raw) + 2, lost, len(raw), clean))
    for name, text in module.ONE_READ.items():
        closed = module.complete_from(text)
        lost = sum(good([text[:at]], finish) for at in range(len(text) + 1) for finish in (None, "length"))
        clean = sum(good([text[:at]], "stop") for at in range(closed))
        rows.append((name, good([text], "stop"), good(list(text), "stop"), 2 * len(text) + 2, lost, closed, clean))
    print(f"{'form':34}{'whole':>7}{'by char':>9}{'cut':>7}{'executed':>10}{'ended':>7}{'executed':>10}")
    for name, whole, single, cuts, lost, ends, clean in rows:
        print(f"{name:34}{whole:>5}/1{single:>7}/1{cuts:>7}{lost:>10}{ends:>7}{clean:>10}")
    complete = sum(row[1] + row[2] for row in rows)
    wrong = sum(row[4] + row[6] for row in rows)
    tried = sum(row[3] + row[5] for row in rows)
    print(f"complete: {complete} of {2 * len(rows)} executed; cut: {wrong} of {tried} executed")
    content = "".join(f"line {number}: a < b and </b> of 10,000\n" for number in range(10_000))
    for hermes in (False, True):
        text = call_text(ToolCall("", "write", {"path": "a", "content": content}), hermes=hermes)
        reader = ReplyReader(module.TOOLS)
        for at in range(0, len(text), 4):
            reader.feed(text[at : at + 4])
        began = time.perf_counter()
        assert reader.finish("stop").calls[0].arguments["content"] == content
        took = time.perf_counter() - began
        print(f"a call of 10,000 lines ({'hermes' if hermes else 'xml'}): {took * 1000:.1f} ms after its last token")
    return int(wrong > 0 or complete != 2 * len(rows))


if __name__ == "__main__":
    sys.exit(main())
