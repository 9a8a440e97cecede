"""By keyboard alone: ask in the chat, look at the change, apply it, take it back; ask at a place in a file."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import SUM, mending_cart
from rig.studio import Studio
from rig.workbench import Workbench


async def tab_to(window: Workbench, goal: Locator) -> None:
    """Go back from the text field, a focusable thing at a time, until the goal has the focus."""
    await window.chat.field.focus()
    for _ in range(40):
        await window.page.keyboard.press("Shift+Tab")
        if await goal.evaluate("(goal) => goal === document.activeElement"):
            return
    raise AssertionError("the keyboard does not lead there")


async def test_keys(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart(), answer("It sums."))
    window = await studio.window()
    keys = window.page.keyboard
    await keys.press("Control+Alt+K")
    await keys.press("c")
    await expect(window.chat.field).to_be_focused()
    await keys.type("sum and count")
    await keys.press("Enter")

    await expect(window.chat.button("Apply")).to_be_visible()
    await expect(window.chat.field).to_be_focused()
    twist = window.chat.button("Hunks of cart.py")
    await tab_to(window, twist)
    await keys.press("Enter")
    await expect(window.chat.newest.get_by_label("+1 −1").first).to_contain_text("result += price")
    await tab_to(window, window.chat.button("Apply"))
    await keys.press("Enter")
    await until("the change is in the file", lambda: SUM["new"] in cart.read_text())
    await expect(window.chat.button("Undo")).to_be_visible()
    await tab_to(window, window.chat.button("Undo"))
    await window.shot("undo")
    await keys.press("Enter")
    await until("the file is as before", lambda: cart.read_text() == before)

    # In a file, too; a browser's window is a remote one, in which files have another scheme.
    await window.open_file("cart.py")
    await window.editor_text().click()
    await keys.press("Shift+F10")
    await expect(window.page.get_by_role("menuitem", name="Kaaj")).to_be_visible()
    await keys.press("Escape")
    await keys.press("Control+Alt+K")
    await keys.press("e")
    await window.type_into_quick_input("explain the loop")
    await expect(window.chat.newest).to_contain_text("It sums.")
    asked = str(studio.endpoint.prompts[-1]["messages"])
    assert "explain the loop" in asked
