"""A file is renamed, or its editor closed, while its diff is open."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import mending_cart
from rig.studio import Studio


async def test_file_renamed(studio: Studio) -> None:
    """The change is refused or follows; the renamed file is not written over, and nothing hangs."""
    cart, trolley = studio.folder / "cart.py", studio.folder / "trolley.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.open_file("cart.py")
    await window.show_kaaj()
    await window.chat.send("sum and count")
    await window.row("Changes", "Line 4").click()
    await expect(window.diff()).to_be_visible()
    # Closed and opened again: the diff and the change are as they were.
    await window.page.keyboard.press("Control+F4")
    await window.row("Changes", "Line 9").click()
    await expect(window.diff().locator(".modified-in-monaco-diff-editor .view-lines")).to_contain_text("len(prices)")
    cart.rename(trolley)
    await window.shot("renamed")
    await window.chat.button("Apply").click()
    await expect(window.chat.newest.get_by_label("Change, to review")).to_have_count(0)
    await window.shot("decided")
    assert trolley.read_text() == before
    assert not cart.exists() or "result += price" in cart.read_text()
    # And it goes on.
    studio.endpoint.add(answer("Still here."))
    await window.chat.ended()
    await window.chat.send("are you there?")
    await expect(window.chat.newest).to_contain_text("Still here.")
    await until("the task has ended", window.chat.rests)
