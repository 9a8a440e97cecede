"""An undo of what was edited later: which file that is, and a merge to review; a change taken back file by file."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import COMMA, SUM, edit
from rig.studio import Studio
from rig.workbench import Workbench


async def taken(studio: Studio) -> Workbench:
    """A change of two files, applied and saved."""
    studio.endpoint.add(edit(SUM, COMMA), answer("Both are mended."))
    window = await studio.window()
    await window.open_file("cart.py")
    await window.ask("mend the shop")
    await window.show_kaaj()
    await window.row_action("Changes", "proposed", "Apply")
    await expect(window.editor_text()).to_contain_text("result += price")
    await window.command("File: Save All")
    await until("both are on disk", lambda: COMMA["new"] in (studio.folder / "shop.json").read_text())
    return window


async def test_undo_merge(studio: Studio) -> None:
    window = await taken(studio)
    cart, shop = studio.folder / "cart.py", studio.folder / "shop.json"
    await until("the change is on disk", lambda: SUM["new"] in cart.read_text())
    # One file of it is taken back, by its row.
    await window.row_action("Changes", "shop.json", "Undo")
    await expect(window.row("Changes", "undone")).to_be_visible()
    await window.command("File: Save All")
    await until("the one file is as before", lambda: COMMA["old"] in shop.read_text())
    assert SUM["new"] in cart.read_text()

    # The other one was edited, in the very line: a question says so, and Enter proposes the merge.
    await window.open_file("cart.py")
    await window.go_to_line(4, 9)
    await window.page.keyboard.type("global ")
    await window.command("File: Save All")
    await until("the edit is on disk", lambda: "global result += price" in cart.read_text())
    edited = cart.read_text()
    await window.row_action("Changes", "applied", "Undo")
    dialog = window.page.get_by_role("dialog").filter(has_text="cart.py")
    await expect(dialog).to_contain_text("edited since")
    await window.shot("question")
    await window.page.keyboard.press("Enter")

    # It is a proposal like any other: seen in the diff, with its conflict named, and nothing is written.
    await expect(window.row("Changes", "proposed")).to_contain_text("1 conflict")
    await expect(window.diff().locator(".modified-in-monaco-diff-editor .view-lines")).to_contain_text("<<<<<<< as")
    await window.shot("merge")
    assert cart.read_text() == edited
    await window.row_action("Changes", "proposed", "Apply")
    await window.command("File: Save All")
    await until("both texts are in the file", lambda: ">>>>>>> before the change" in cart.read_text())
    assert SUM["old"] in cart.read_text()
    await expect(window.row("Changes", "Undo, 1 conflict")).to_contain_text("applied")


async def test_undo_merge_from_the_chat(studio: Studio) -> None:
    """The change's card has the merge at hand; what was edited elsewhere in the file stays, without a conflict."""
    window = await taken(studio)
    cart = studio.folder / "cart.py"
    await window.go_to_line(1)
    await window.page.keyboard.type("# mine\n")
    await window.command("File: Save All")
    await until("the edit is on disk", lambda: cart.read_text().startswith("# mine"))
    await window.chat.button("Undo with a merge").press("Enter")
    await expect(window.row("Changes", "proposed")).to_be_visible()
    await window.shot("card")
    await window.row_action("Changes", "proposed", "Apply")
    await window.command("File: Save All")
    await until("the change is taken back", lambda: SUM["old"] in cart.read_text())
    assert cart.read_text().startswith("# mine")
