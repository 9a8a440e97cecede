"""An undo of what was edited later, with a stock LSP client: a question offers the merge, another one puts it."""

from __future__ import annotations

from kaaj_agent.testing import ScriptedEndpoint, answer
from rig.plain_editor import RealEditor
from rig.script import SUM, edit


async def test_an_undo_that_later_edits_stand_in_the_way_of(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(edit(SUM), answer("Added up."))
    cart = editor.workspace / "cart.py"
    before = cart.read_text()
    after = before.replace(SUM["old"], SUM["new"])
    await editor.open(cart)
    await editor.act("Kaaj: fix what is wrong here", cart, 4)
    await editor.choose("Apply 1 hunk in 1 file")
    await editor.shows(cart, after)
    await editor.offers("Kaaj: undo", cart, 4)
    await editor.actions(cart, 4)  # the menu stays open over an edit of the very line that would be taken back
    await editor.tell("type", str(cart), 4, "# ")
    edited = await editor.text(cart)
    await editor.choose("Kaaj: undo")

    assert (await editor.menu())[:2] == ["Propose a merge", "Leave it"]
    assert "cart.py" in await editor.prompt()
    await editor.choose("Propose a merge")
    assert (await editor.menu())[:2] == ["Apply 2 hunks in 1 file", "Reject"]
    assert await editor.text(cart) == edited, "nothing moves before the answer"
    await editor.choose("Apply 2 hunks in 1 file")
    await editor.contains(cart, "<<<<<<< as it is now\n#         result += price\n", ">>>>>>> before the change\n")
