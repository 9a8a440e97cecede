"""No folder, several folders, a folder that is not trusted, two windows on one folder."""

from __future__ import annotations

import json

from playwright.async_api import expect

from kaaj_agent.testing import answer, answer_calls
from rig.polling import until
from rig.script import SUM, edit, mending_cart, todo
from rig.studio import Studio


async def test_no_folder(studio: Studio) -> None:
    window = await studio.window(empty=True, ready=False)
    await window.status().wait_for()
    await window.show_kaaj()
    await expect(window.chat.body).to_contain_text("No folder is open")
    await window.shot("told")


async def test_two_folders(studio: Studio) -> None:
    """A change that touches files of two folders."""
    other = studio.home / "mill"
    other.mkdir()
    (other / "wheel.py").write_text("turns = 1\n")
    workspace = studio.home / "both.code-workspace"
    workspace.write_text(json.dumps({"folders": [{"path": str(studio.folder)}, {"path": str(other)}]}))
    turn = {"path": "mill/wheel.py", "old": "turns = 1", "new": "turns = 2"}
    studio.endpoint.add(edit(SUM | {"path": "shop/cart.py"}, turn), answer("Both are changed."))
    window = await studio.window(workspace=workspace)
    await window.show_kaaj()
    await window.chat.send("change both")
    await expect(window.row("Changes", "wheel.py")).to_be_visible()
    await expect(window.row("Changes", "cart.py")).to_be_visible()
    await window.shot("proposed")
    await window.chat.button("Apply").click()
    await until("the other folder's file is changed", lambda: (other / "wheel.py").read_text() == "turns = 2\n")
    await until("the first folder's too", lambda: "+= price" in (studio.folder / "cart.py").read_text())


async def test_untrusted(studio: Studio) -> None:
    """A plan and no more; once the folder is trusted, changes too."""
    studio.flags = ()
    studio.settings |= {
        "security.workspace.trust.enabled": True,
        "security.workspace.trust.startupPrompt": "never",
        "security.workspace.trust.banner": "never",
    }
    plan = answer_calls(todo("Sum the prices"), text="This is the plan.")
    studio.endpoint.add(edit(SUM), answer_calls(("run", {"command": "touch here"})), plan, answer("So much for that."))
    studio.endpoint.add(edit(SUM), answer("Summed."))
    window = await studio.window()
    await window.show_kaaj()
    await expect(window.chat.frame.get_by_role("note")).to_contain_text("not trusted")
    await window.chat.send("sum the prices")
    await window.chat.ended()
    await expect(window.row("To-do", "Sum the prices")).to_be_visible()
    await window.shot("planned")
    told = [one["content"] for one in studio.endpoint.prompts[2]["messages"] if one["role"] == "tool"]
    assert all("plan" in one for one in told), told  # both were refused, and the model heard why
    assert await window.rows("Changes") == []
    assert "result = price" in (studio.folder / "cart.py").read_text()
    await expect(window.chat.button("Run the plan")).to_have_count(0)

    await window.chat.button("Trust…").click()
    await window.page.get_by_role("button", name="Trust", exact=True).click()
    await expect(window.chat.frame.get_by_role("note")).to_have_count(0)
    await window.page.locator(".monaco-modal-editor-block").get_by_role("button", name="Close").first.click()
    await window.chat.button("Run the plan").click()
    await window.chat.button("Apply").click()
    await until("the change is in the file", lambda: SUM["new"] in (studio.folder / "cart.py").read_text())
    await window.shot("trusted")


async def test_two_windows(studio: Studio) -> None:
    """Each window has a server and tasks of its own; what one applies the other sees as the file's new text."""
    cart = studio.folder / "cart.py"
    studio.endpoint.add(*mending_cart(), answer("Hello from the second window."))
    first = await studio.window()
    second = await studio.window(same_context=True)
    await until("two servers", lambda: len(first.server.language_servers()) == 2)
    await first.show_kaaj()
    await first.chat.send("sum and count")
    await expect(first.chat.button("Apply")).to_be_visible()
    await second.open_file("cart.py")
    await second.show_kaaj()
    await second.chat.send("say hello")
    await expect(second.chat.newest).to_contain_text("Hello from the second window.")
    await first.chat.button("Apply").click()
    await until("the change is in the file", lambda: "result += price" in cart.read_text())
    await expect(second.editor_text()).to_contain_text("result += price")
    await second.shot("second")
