"""A change of three files, decided on bit by bit: in the tree, in the title of its diff, by a lens; and in whole."""

from __future__ import annotations

import sys

from playwright.async_api import Locator, expect

from kaaj_agent.testing import answer, answer_calls
from rig.polling import until
from rig.script import COMMA, COUNT, SUM, todo
from rig.studio import Studio
from rig.workbench import Workbench

NOTES = {"path": "notes.txt", "old": "second\n", "new": "second\nthanks\n"}
WORDS = "compiled as it should"


def title_button(window: Workbench, name: str) -> Locator:
    """One of the buttons in the title of the editor at hand."""
    return window.page.locator(".editor-group-container.active .editor-actions").get_by_role("button", name=name).first


async def propose(studio: Studio) -> Workbench:
    studio.settings |= {"kaaj.check": f"{sys.executable} -m py_compile cart.py && echo {WORDS}"}
    studio.endpoint.add(
        answer_calls(todo("Sum the prices", "Tidy up"), ("edit", SUM)),
        answer_calls(todo("Sum the prices", "Tidy up", running=1), ("edit", COUNT), ("edit", NOTES), ("edit", COMMA)),
        answer("All **done**."),
        answer("As you like."),
    )
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("mend all")
    await expect(window.chat.button("Apply")).to_be_visible(timeout=40_000)
    return window


async def test_review(studio: Studio) -> None:
    cart, notes, shop = (studio.folder / name for name in ("cart.py", "notes.txt", "shop.json"))
    before = {file: file.read_text() for file in (cart, notes, shop)}
    window = await propose(studio)

    # Below an item: its hunk, which opens the diff there, and its check, which opens the output.
    await window.row("To-do", "Sum the prices").click()
    await window.row("To-do", "cart.py:4").click()
    diff = window.diff()
    await expect(diff.locator(".modified-in-monaco-diff-editor .view-lines")).to_contain_text("result += price")
    await expect(window.page.locator(".statusbar-item").filter(has_text="Ln 4,")).to_be_visible()
    await window.row("To-do", "Check passed").click()
    await expect(window.editor_text()).to_contain_text(WORDS.replace(" ", "\u00a0"))
    await window.shot("check")
    await window.row("Changes", "Check passed").click()
    assert "Check output" in await window.tabs()

    # In the title of the diff: the hunk at the cursor, then what is left of the file.
    await window.row("Changes", "Line 4").click()
    await window.diff().locator(".modified-in-monaco-diff-editor .view-line").nth(3).click()
    await title_button(window, "Apply the hunk at the cursor").click()
    summed = before[cart].replace(SUM["old"], SUM["new"])
    await until("one hunk is in the file", lambda: cart.read_text() == summed)
    await expect(window.row("Changes", "Line 9")).to_be_visible()
    await window.row("Changes", "Line 9").click()
    await window.shot("rest")
    await title_button(window, "Apply this file's changes").click()
    await until("the file is mended", lambda: cart.read_text() == summed.replace(COUNT["old"], COUNT["new"]))

    # A whole file in the tree; the last one by its lens.
    await window.row_action("Changes", "shop.json", "Reject…")
    await window.type_into_quick_input("not the shop")
    await expect(window.row("Changes", "notes.txt")).to_be_visible()
    await window.open_file("notes.txt")
    await window.lens("reject this hunk").click()
    await expect(window.row("Changes", "rejected")).to_be_visible()
    await window.chat.ended()
    assert notes.read_text() == before[notes]
    assert shop.read_text() == before[shop]
    await window.shot("decided")
    # The reason is heard with the next prompt.
    await window.chat.send("go on")
    await expect(window.chat.newest).to_contain_text("As you like.")
    assert "not the shop" in str(studio.endpoint.prompts[-1]["messages"])


async def test_whole(studio: Studio) -> None:
    """All files in one diff, decided on in its title; taken back in the tree."""
    cart, shop = studio.folder / "cart.py", studio.folder / "shop.json"
    before = cart.read_text()
    window = await propose(studio)
    assert await window.tabs() == []
    await window.chat.button("Show diff").click()
    await expect(title_button(window, "Apply")).to_be_visible()
    await window.shot("diff")
    await title_button(window, "Apply").click()
    await until("all are in the files", lambda: SUM["old"] not in cart.read_text() and COMMA["new"] in shop.read_text())
    await expect(title_button(window, "Apply")).to_have_count(0)
    await window.row_action("Changes", "applied", "Undo")
    await until("the file is as before", lambda: cart.read_text() == before)
    await window.shot("undone")
