"""Earlier sessions: found by their words, gone on with, deleted."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.script import SUM, edit
from rig.studio import Studio


async def test_sessions(studio: Studio) -> None:
    studio.endpoint.add(
        answer("Apples are fruit."), edit(SUM), answer("The pears are summed."), answer("Fruit, I said.")
    )
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("what are apples?")
    await expect(window.chat.newest).to_contain_text("Apples are fruit.")
    await window.chat.ended()
    await window.view_action("Chat", "New session")
    await window.chat.send("sum the pears")
    await window.chat.button("Apply").click()
    await expect(window.row("Changes", "applied")).to_be_visible()
    await window.chat.ended()

    await window.view_action("Chat", "History")
    sessions = window.chat.frame.get_by_role("list", name="Sessions").get_by_role("listitem")
    await expect(sessions).to_have_count(2)
    search = window.chat.frame.get_by_role("searchbox")
    await expect(search).to_be_focused()
    await search.fill("no such word")
    await expect(sessions).to_have_count(0)
    await search.fill("ARE apples")
    await expect(sessions).to_have_count(1)
    await window.shot("found")
    await search.press("Enter")
    await expect(window.chat.turns).to_have_count(1)
    await expect(window.chat.newest).to_contain_text("Apples are fruit.")
    # It goes on where it was: the model has what was said.
    await window.chat.send("what did you say?")
    await expect(window.chat.newest).to_contain_text("Fruit, I said.")
    told = str(studio.endpoint.prompts[-1]["messages"])
    assert "what are apples?" in told
    assert "Apples are fruit." in told
    assert "pears" not in told
    await window.chat.ended()

    kept = list((studio.home / "state").rglob("*.jsonl"))
    await window.view_action("Chat", "History")
    pears = sessions.filter(has_text="sum the pears")
    await pears.hover()
    await pears.get_by_role("button", name="Delete").click()
    await window.shot("asked")
    await window.page.locator(".monaco-dialog-box").get_by_role("button", name="Delete").click()
    await expect(sessions).to_have_count(1)
    await until("its file is gone", lambda: len(list((studio.home / "state").rglob("*.jsonl"))) == len(kept) - 1)
    # Nothing of it is offered any more; the file stays as it is.
    await expect(window.tree("Changes").get_by_role("treeitem")).to_have_count(0)
    assert SUM["new"] in (studio.folder / "cart.py").read_text()
    await window.shot("deleted")
