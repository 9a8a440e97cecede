"""The main path, from the chat: a plan, a change, one hunk accepted, one rejected, undone."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import SUM, mending_cart
from rig.studio import Studio


async def test_chat(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart(), answer("The count stays, then."))
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.field.wait_for()
    await window.shot("new")
    await window.chat.send("Sum the prices of the cart, and count them rightly")
    await expect(window.row("To-do", "Count them rightly")).to_be_visible()
    await expect(window.row("Changes", "Line 9")).to_be_visible()
    await expect(window.chat.newest.locator("strong")).to_have_text("summed")
    await expect(window.chat.newest.locator("code")).to_contain_text(["count"])
    await window.shot("proposed")
    await window.row("Changes", "Line 4").click()
    await expect(window.diff().locator(".modified-in-monaco-diff-editor .view-lines")).to_contain_text(
        "result += price"
    )
    await window.shot("diff")
    assert cart.read_text() == before

    await window.row_action("Changes", "Line 4", "Apply")
    await expect(window.row("Changes", "applied")).to_be_visible()
    await window.row_action("Changes", "Line 9", "Reject…")
    await window.chat.ended()
    await window.open_file("cart.py")
    await window.save()
    await until("one hunk is in the file", lambda: cart.read_text() == before.replace(SUM["old"], SUM["new"]))
    # What was refused is open again, what was applied is done.
    rows = await window.rows("To-do")
    assert any(row.startswith("Sum the prices, done") for row in rows), rows
    assert any(row.startswith("Count them rightly, open") for row in rows), rows
    await window.shot("decided")

    await window.row_action("Changes", "applied", "Undo")
    await expect(window.row("Changes", "undone")).to_be_visible()
    await window.save()
    await until("the file is as before", lambda: cart.read_text() == before)
    await window.shot("undone")
