"""The list is edited while the agent works, and what the agent does next follows it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from playwright.async_api import expect

from kaaj_agent.testing import Answer, answer, answer_calls
from rig.polling import until
from rig.script import SUM, edit, todo
from rig.studio import Studio

THANKS = {"path": "notes.txt", "old": "second\n", "new": "second\nthanks\n"}


async def test_todo(studio: Studio) -> None:
    go = asyncio.Event()

    async def when_told(_: Any) -> Answer:
        await go.wait()
        return edit(SUM)

    def as_the_list_says(body: Any) -> Answer:
        """What a model does that reads its list: the poem only if it is still there."""
        newest = json.dumps(body["messages"][-1], ensure_ascii=False)
        poem = [("write", {"path": "poem.txt", "content": "O\n"})] if "Write a poem" in newest else []
        thanks = [("edit", THANKS)] if "Thank the reader" in newest else []
        return answer_calls(*poem, *thanks)

    studio.endpoint.add(
        answer_calls(todo("Sum the prices", "Write a poem", "Count them rightly")),
        when_told,
        as_the_list_says,
        answer("Done as the list says."),
    )
    window = await studio.window()
    await window.open_file("cart.py")
    await window.ask("sum, count and write a poem")
    await window.show_kaaj()
    await expect(window.row("To-do", "Write a poem")).to_be_visible()
    await until("the model is asked again", lambda: len(studio.endpoint.prompts) == 2)
    await window.shot("running")
    badge = window.page.locator(".activitybar").get_by_role("tab", name="Kaaj").locator(".badge-content")
    await expect(badge).to_have_text("3")

    await window.row_action("To-do", "Write a poem", "Remove to-do item")
    await expect(window.row("To-do", "Write a poem")).to_have_count(0)
    await window.row_action("To-do", "Count them rightly", "Skip to-do item")
    await window.view_action("To-do", "Add to-do item…")
    await window.type_into_quick_input("Thank the reader")
    await expect(window.row("To-do", "Thank the reader")).to_be_visible()
    await window.row("To-do", "Thank the reader").click()
    await window.page.keyboard.press("Alt+ArrowUp")
    await window.shot("edited")

    go.set()
    await expect(window.row("Changes", "notes.txt")).to_be_visible(timeout=20_000)
    await window.shot("done")
    assert await window.tree("Changes").get_by_text("poem.txt").count() == 0
    rows = await window.rows("To-do")
    assert any("Count them rightly, skipped" in row for row in rows), rows
