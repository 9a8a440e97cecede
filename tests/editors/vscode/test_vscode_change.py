"""A task becomes a change; it is looked at, decided on by hunk, applied and undone."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import COUNT, SUM, mending_cart
from rig.studio import Studio


async def test_change(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart(), answer("The count stays, then."))
    window = await studio.window()
    await window.open_file("cart.py")
    await window.ask("sum and count")
    await window.show_kaaj()

    # The list and the change are there; the file is as it was, and nothing was opened.
    await expect(window.row("Changes", "Line 9")).to_be_visible()
    await window.shot("proposed")
    assert await window.tabs() == ["cart.py"]
    assert cart.read_text() == before

    # A click on a hunk opens the diff there: both sides as VS Code's own diff editor draws them.
    await window.row("Changes", "Line 4").click()
    diff = window.diff()
    await expect(diff.locator(".modified-in-monaco-diff-editor .view-lines")).to_contain_text("result += price")
    await expect(diff.locator(".original-in-monaco-diff-editor .view-lines")).to_contain_text("result = price")
    await window.shot("diff")

    # One hunk is accepted, the other rejected.
    await window.row_action("Changes", "Line 4", "Apply")
    await window.open_file("cart.py")
    await expect(window.editor_text()).to_contain_text("result += price")
    await window.row_action("Changes", "len(prices)", "Reject…")
    await until("the task has ended", lambda: len(studio.endpoint.prompts) >= 3)
    await window.save()
    summed = before.replace(SUM["old"], SUM["new"])
    await until("one hunk is in the file", lambda: cart.read_text() == summed)
    assert COUNT["old"] in cart.read_text()
    await window.shot("one-hunk")

    # Undo takes back what was applied.
    await window.row_action("Changes", "applied", "Undo")
    await expect(window.editor_text()).not_to_contain_text("result += price")
    await window.save()
    await until("the file is as before", lambda: cart.read_text() == before)
    await expect(window.row("Changes", "undone")).to_be_visible()
    await window.shot("undone")


async def test_lenses(studio: Studio) -> None:
    """In the file itself: a lens at each hunk, and what was applied is one step of the editor's undo."""
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.open_file("cart.py")
    await window.ask("sum and count")
    await expect(window.lens("apply this hunk")).to_have_count(2)
    await window.shot("lenses")
    await window.lens("apply 2 hunks").click()
    await expect(window.editor_text()).to_contain_text("result += price")
    await window.save()
    after = before.replace(SUM["old"], SUM["new"]).replace(COUNT["old"], COUNT["new"])
    await until("both hunks are in the file", lambda: cart.read_text() == after)
    await window.editor_text().click()
    await window.page.keyboard.press("Control+Z")
    await window.save()
    await until("one undo took both back", lambda: cart.read_text() == before)
