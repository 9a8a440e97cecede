"""Dragged by the mouse: items of the to-do list to another place, an editor's tab into the chat."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from kaaj_agent.testing import Answer, answer, answer_calls
from rig.polling import until
from rig.script import SUM, edit, todo
from rig.studio import Studio
from rig.workbench import Workbench


async def drag(window: Workbench, what: Locator, to: Locator, key: str | None = None) -> None:
    """With the mouse, as a person does it; `key` is held down over the goal."""
    start, end = await what.bounding_box(), await to.bounding_box()
    if start is None or end is None:
        raise AssertionError("what is dragged, or where it goes, is not seen")
    mouse = window.page.mouse
    await mouse.move(start["x"] + 40, start["y"] + start["height"] / 2)
    await mouse.down()
    await mouse.move(start["x"] + 50, start["y"] + start["height"] / 2 + 3, steps=3)
    if key is not None:
        await window.page.keyboard.down(key)
    x, y = end["x"] + 40, end["y"] + end["height"] / 2
    await mouse.move(x - 5, y, steps=10)
    await mouse.move(x, y, steps=3)
    await mouse.up()
    if key is not None:
        await window.page.keyboard.up(key)


async def test_item_dragged(studio: Studio) -> None:
    """The last comes into the middle, and is the only one that is run: the model is told so."""
    go = asyncio.Event()

    async def when_told(_: object) -> Answer:
        await go.wait()
        return edit(SUM)

    titles = ("Sum the prices", "Write a poem", "Count them rightly")
    studio.endpoint.add(answer_calls(todo(*titles)), when_told, answer("As the list says."))
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("sum, count and write a poem")
    await until("the model is asked again", lambda: len(studio.endpoint.prompts) == 2)
    await drag(window, window.row("To-do", "Count them rightly"), window.row("To-do", "Write a poem"))

    async def moved() -> bool:
        names = [row.partition(",")[0] for row in await window.rows("To-do")]
        return names == [titles[0], titles[2], titles[1]]

    async def alone() -> bool:
        return ["skipped" in row for row in await window.rows("To-do")] == [True, False, True]

    await until("the last stands in the middle", moved)
    await window.row_action("To-do", "Count them rightly", "Run only this to-do item")
    await until("the others are left out", alone)
    await window.shot("list")
    go.set()
    await until("the model has heard", lambda: len(studio.endpoint.prompts) == 3)
    told = str(studio.endpoint.prompts[2]["messages"][-1]["content"])
    assert told.index("Count them rightly") < told.index("Write a poem"), told


async def test_tab_dropped(studio: Studio) -> None:
    studio.endpoint.add(answer("Seen."))
    window = await studio.window()
    await window.open_file("notes.txt")
    await window.open_file("cart.py")
    await window.show_kaaj()
    await window.chat.field.wait_for()
    tab = window.page.locator(".tabs-container .tab[data-resource-name='notes.txt']")
    await drag(window, tab, window.chat.field, "Shift")
    await expect(window.chat.frame.get_by_role("list", name="Goes along")).to_contain_text("notes.txt")
    await window.shot("tab")
    await window.chat.send("what does it say?")
    await expect(window.chat.newest).to_contain_text("Seen.")
    assert "naïve 😀 line" in str(studio.endpoint.prompts[0]["messages"][-1]["content"])
