"""Pictures to be looked at by a person: themes, and a narrow and a wide side bar. And what axe-core finds."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest
from playwright.async_api import expect

from kaaj_agent.testing import answer_calls
from rig.accessibility import findings
from rig.script import SUM, edit, held, todo
from rig.studio import Studio

RICH: Final = """\
I looked at `cart.py`: `total` keeps only the **last** price. See [the loop](cart.py#L3).

1. sum the prices in `total`
2. count them *rightly*

| function | is | should be |
|---|---|---|
| `total` | last price | sum |
| `count` | one too many | length |

```python
def total(prices: list[float]) -> float:
    # every price counts, not only the last one; this line is long enough to need scrolling in a narrow side bar
    return sum(prices) if prices else 0.0
```

> A quotation.
"""
GRAVE: Final = {"moderate", "serious", "critical"}
THEMES: Final = {
    "light": "Light 2026",
    "dark": "Dark 2026",
    "high-contrast": "Default High Contrast",
    "high-contrast-light": "Default High Contrast Light",
}


@pytest.mark.parametrize("theme", THEMES)
async def test_looks(studio: Studio, theme: str) -> None:
    go = asyncio.Event()
    studio.journey = f"looks-{theme}"
    studio.settings |= {"workbench.colorTheme": THEMES[theme], "window.autoDetectHighContrast": False}
    plan = todo("Sum the prices in `total`", "Count them rightly", "Say so in the notes")
    studio.endpoint.add(
        answer_calls(plan, ("read", {"path": "cart.py"}), ("search", {"pattern": "price"}), text=RICH),
        edit(SUM, {"path": "cart.py", "old": "no such text", "new": ""}),
        held("Now the **notes**", go, ", which are short."),
    )
    window = await studio.window()
    await window.open_file("cart.py")
    await window.show_kaaj()
    await window.chat.field.wait_for()
    await window.shot("new")
    problems = {"new": await findings(window.chat)}
    await window.chat.send("Sum the prices of the cart, count them rightly, and say so in the notes")
    await expect(window.chat.newest).to_contain_text("Now the notes")
    await window.shot("running")
    problems["running"] = await findings(window.chat)
    go.set()
    await expect(window.chat.button("Apply")).to_be_visible()
    await window.shot("proposed")
    await window.widen_side_bar(300)
    await window.shot("narrow")
    problems["narrow"] = await findings(window.chat)
    await window.row("Changes", "Line 4").click()
    await expect(window.diff()).to_be_visible()
    await window.shot("diff")
    await window.chat.field.fill("@")
    await expect(window.chat.frame.get_by_role("option").first).to_be_visible()
    await window.shot("mention")
    problems["mention"] = await findings(window.chat)
    await window.chat.field.fill("")
    await window.chat.button("Mode: Ask").click()
    await expect(window.chat.frame.get_by_role("menuitemradio").first).to_be_visible()
    await window.shot("menu")
    problems["menu"] = await findings(window.chat)
    await window.page.keyboard.press("Escape")
    await window.view_action("Chat", "History")
    await expect(window.chat.frame.get_by_role("searchbox")).to_be_focused()
    await window.shot("history")
    problems["history"] = await findings(window.chat)
    await window.page.keyboard.press("Escape")
    await window.page.set_viewport_size({"width": 1800, "height": 1000})
    await window.widen_side_bar(800)
    await window.shot("wide")
    grave = [(step, one) for step, found in problems.items() for one in found if one["impact"] in GRAVE]
    assert grave == []
