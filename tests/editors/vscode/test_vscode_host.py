"""What is seen from inside of the extension host (host/index.js)."""

from __future__ import annotations

from pathlib import Path

from kaaj_agent.testing import answer, answer_calls
from rig.host import run_in_host
from rig.studio import Studio


async def test_extension_host(studio: Studio) -> None:
    studio.endpoint.add(
        answer_calls(
            ("edit", {"path": "cart.py", "old": "result = price\n", "new": "result += price\n"}),
            ("edit", {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"}),
        ),
        answer("Summed and counted."),
        answer_calls(("diagnostics", {})),
        answer("The wool."),
        answer_calls(("edit", {"path": "notes.txt", "old": "second", "new": "third"})),
        answer("Proposed."),
        answer("As you wish."),
    )
    results = await run_in_host(studio, Path(__file__).parent / "host")
    assert len(results) == 9
    assert {name: error for name, error in results.items() if error} == {}
    asked = [message["content"] for message in studio.endpoint.prompts[3]["messages"] if message["role"] == "tool"]
    assert any("the wool is blue" in text for text in asked), asked
