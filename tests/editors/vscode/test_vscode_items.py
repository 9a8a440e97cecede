"""The list of a task that has ended: renamed, one item of it run, then the rest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from playwright.async_api import expect

from kaaj_agent.testing import answer, answer_calls
from rig.polling import until
from rig.script import COUNT, SUM, edit, todo
from rig.studio import Studio


async def said(rows: Callable[[str], Awaitable[Sequence[str]]], *words: str) -> bool:
    """Whether the list has a row for each of these, in this order."""
    found = await rows("To-do")
    return len(found) >= len(words) and all(word in row for word, row in zip(words, found, strict=False))


async def test_items(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    studio.endpoint.add(
        answer_calls(todo("Sum the prices", "Write a poem", "Count them rightly"), ("edit", SUM)),
        answer("The first is done."),
        edit(COUNT),
        answer("That one is done."),
        answer_calls(("write", {"path": "song.txt", "content": "O\n"})),
        answer("A song."),
    )
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("sum, write and count")
    await window.chat.button("Apply").click()
    await until("the first is in the file", lambda: SUM["new"] in cart.read_text())
    await window.chat.ended()

    await window.row("To-do", "Write a poem").click()
    await window.page.keyboard.press("F2")
    await window.type_into_quick_input("Write a song")
    await expect(window.row("To-do", "Write a song")).to_be_visible()

    await window.row_action("To-do", "Count them rightly", "Run only this to-do item")
    await window.chat.button("Apply").click()
    await until("that one is in the file", lambda: COUNT["old"] not in cart.read_text())
    assert "Do this item of the plan only: Count them rightly" in str(studio.endpoint.prompts[2]["messages"][-1])
    await window.chat.ended()
    await until("the list says so", lambda: said(window.rows, "Sum the prices, done", "song, skipped", "rightly, done"))
    await window.shot("one")

    await window.row_action("To-do", "Write a song", "Do not skip to-do item")
    await until("it is open", lambda: said(window.rows, "Sum the prices, done", "song, open"))
    await window.view_action("To-do", "Run the rest of the list")
    await window.chat.button("Apply").click()
    await until("the rest is done", (studio.folder / "song.txt").exists)
    assert "Write a song" in str(studio.endpoint.prompts[4]["messages"][-1])
    await window.chat.ended()
    await until("the list is done", lambda: said(window.rows, "Sum the prices, done", "song, done", "rightly, done"))
    await window.shot("all")
