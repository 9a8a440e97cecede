"""Two hands at one text: two windows with a change of the same line; a file that is renamed, or closed without saving,
while its diff is open."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import SUM, edit, mending_cart
from rig.studio import Studio


async def test_two_changes_of_one_line(studio: Studio) -> None:
    """The second is refused, or made anew on the text that is there; the first is never written over."""
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    other = {**SUM, "new": "result = result + price\n"}
    studio.endpoint.add(edit(SUM), answer("Summed."), edit(other), answer("Summed in other words."))
    first = await studio.window()
    second = await studio.window(same_context=True)
    for window, what in ((first, "one"), (second, "another")):
        await window.page.bring_to_front()
        await window.show_kaaj()
        await window.chat.send(f"sum in {what} way")
        await expect(window.chat.button("Apply")).to_be_visible()
    await first.page.bring_to_front()
    await first.chat.button("Apply").click()
    done = before.replace(SUM["old"], SUM["new"])
    await until("the first change is in the file", lambda: cart.read_text() == done)
    await second.page.bring_to_front()
    await second.chat.button("Apply").click()
    await expect(second.chat.newest.get_by_label("Change, to review")).to_have_count(0)
    await second.shot("refused")
    assert cart.read_text() == done
    # Both go on.
    studio.endpoint.add(answer("Still here."))
    await second.chat.ended()
    await second.chat.send("are you there?")
    await expect(second.chat.newest).to_contain_text("Still here.")
    await first.page.bring_to_front()
    await first.chat.button("Undo").click()
    await until("the first change is undone", lambda: cart.read_text() == before)


async def test_renamed_in_the_editor(studio: Studio) -> None:
    """By the explorer, with the diff open: the new file is not written over, the old one not brought back unasked."""
    cart, trolley = studio.folder / "cart.py", studio.folder / "trolley.py"
    before = cart.read_text()
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("sum and count")
    await window.row("Changes", "Line 4").click()
    await expect(window.diff()).to_be_visible()
    await window.page.locator(".activitybar").get_by_role("tab", name="Explorer").click()
    await window.page.mouse.move(900, 650)  # its hover would lie over the files
    await window.page.get_by_role("treeitem", name="cart.py", exact=True).click()
    await expect(window.page.locator(".tab.active[data-resource-name='cart.py']")).to_be_visible()
    await window.page.get_by_role("treeitem", name="cart.py", exact=True).press("F2")
    box = window.page.locator(".explorer-item-edited input")
    await box.fill("trolley.py")
    await box.press("Enter")
    await until("the file is renamed", trolley.exists)
    await window.show_kaaj()
    await window.shot("renamed")
    await window.chat.button("Apply").click()
    await expect(window.chat.newest.get_by_label("Change, to review")).to_have_count(0)
    await window.shot("decided")
    await window.command("File: Save All")
    assert trolley.read_text() in (before, before.replace("= price", "+= price").replace("(prices) + 1", "(prices)"))
    assert not cart.exists()
    studio.endpoint.add(answer("Still here."))
    await window.chat.ended()
    await window.chat.send("are you there?")
    await expect(window.chat.newest).to_contain_text("Still here.")


async def test_closed_without_saving(studio: Studio) -> None:
    """The change was made on the unsaved text; it is applied to the saved one, in which its lines stand elsewhere."""
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.settings["files.autoSave"] = "off"  # which a browser's window does by itself
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.open_file("cart.py")
    await window.go_to_line(1)
    await window.page.keyboard.type("# not saved\n")
    await window.show_kaaj()
    await window.chat.send("sum and count")
    await window.row("Changes", "Line 5").click()
    after = window.diff().locator(".modified-in-monaco-diff-editor .view-lines")
    await expect(after).to_contain_text("# not saved")
    assert "not saved" in str(studio.endpoint.prompts[1]["messages"])
    await window.open_file("cart.py")
    await window.command("View: Revert and Close Editor")
    await expect(window.page.locator(".tab")).to_have_count(1)
    await expect(after).not_to_contain_text("not saved")
    await expect(after).to_contain_text("result += price")
    await window.shot("closed")
    await window.chat.button("Apply").click()
    await expect(window.chat.newest.get_by_label("Change, to review")).to_have_count(0)
    await window.command("File: Save All")
    wanted = before.replace("= price\n", "+= price\n").replace("len(prices) + 1", "len(prices)")
    await until("the change is in the saved text", lambda: cart.read_text() == wanted)
    await window.shot("applied")
