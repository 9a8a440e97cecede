"""What is asked for at a place in a file: edit, explain, write tests, fix all its problems, do what a comment says."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from playwright.async_api import expect

from kaaj_agent.testing import Answer, answer, answer_calls
from rig.polling import until
from rig.script import COMMA, COUNT, SUM, edit, todo
from rig.studio import Studio
from rig.workbench import Workbench

TESTS: Final = "from cart import total\n\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
WISH: Final = "    # kaaj: use sum()\n"


async def select(window: Workbench, first: int, last: int) -> None:
    """Lines from 1, the last one included."""
    await window.go_to_line(first)
    for _ in range(last - first + 1):
        await window.page.keyboard.press("Shift+ArrowDown")


async def chord(window: Workbench, key: str) -> None:
    await window.page.keyboard.press("Control+Alt+K")
    await window.page.keyboard.press(key)


async def line_end(window: Workbench) -> str:
    """What is drawn behind the lines of the editor at hand, without being text of theirs."""
    after = """(lines) => [...lines.querySelectorAll("span")]
        .map((one) => getComputedStyle(one, "::after").content)
        .filter((text) => text.startsWith('"')).join(" ")"""
    drawn: str = await window.editor_text().evaluate(after)
    return drawn.replace("\u00a0", " ")


def told(studio: Studio, request: int = 0) -> str:
    return "\n".join(str(one["content"]) for one in studio.endpoint.prompts[request]["messages"])


async def test_tests_for_a_selection(studio: Studio) -> None:
    """By key: the model gets the lines, and the file that it writes is made when the change is applied."""
    new = studio.folder / "test_cart.py"
    studio.endpoint.add(answer_calls(("write", {"path": "test_cart.py", "content": TESTS})), answer("One test."))
    window = await studio.window()
    await window.open_file("cart.py")
    await window.show_kaaj()
    await select(window, 1, 5)
    await chord(window, "t")
    await expect(window.row("Changes", "test_cart.py")).to_be_visible()
    await window.shot("proposed")
    assert "Write tests for the selected code." in told(studio)
    assert "cart.py" in told(studio)
    assert "result = price" in told(studio)
    assert not new.exists()
    assert await window.tabs() == ["cart.py"]
    await window.chat.button("Apply").click()
    await until("the tests are in the new file", lambda: new.exists() and new.read_text() == TESTS)
    await window.shot("applied")


async def test_explain_a_selection(studio: Studio) -> None:
    """By the light bulb and by the menu: the answer is in the chat, nothing is changed, the focus stays."""
    studio.endpoint.add(answer("It keeps the **last** price."), answer("It counts one too many."))
    window = await studio.window()
    await window.show_kaaj()
    await window.open_file("cart.py")
    await select(window, 3, 4)
    await window.light_bulb("Kaaj: explain")
    await expect(window.chat.newest.locator("strong")).to_have_text("last")
    assert "Explain what the selected code does." in told(studio)
    await window.page.keyboard.type("x")
    await expect(window.editor_text()).not_to_contain_text("for price")  # it went where the selection was
    await window.page.keyboard.press("Control+Z")

    await select(window, 8, 9)
    await window.page.keyboard.press("Shift+F10")
    await window.page.get_by_role("menuitem", name="Kaaj").click()
    entry = window.page.get_by_role("menuitem", name="Explain")
    await expect(entry).to_be_visible()
    await window.shot("menu")
    await entry.click()
    await expect(window.chat.newest).to_contain_text("one too many")
    assert await window.rows("Changes") == []
    await window.shot("explained")


async def test_edit_a_selection(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.endpoint.add(edit(SUM), answer("Summed."))
    window = await studio.window()
    await window.open_file("cart.py")
    await select(window, 3, 4)
    await chord(window, "e")
    await window.type_into_quick_input("add the prices up")
    await expect(window.lens("apply")).not_to_have_count(0)
    await window.shot("proposed")
    assert "add the prices up" in told(studio)
    assert "3-4" in told(studio) or "3 to 4" in told(studio), told(studio)
    await window.lens("apply").first.click()
    await expect(window.editor_text()).to_contain_text("result += price")
    await window.save()
    await until("the change is in the file", lambda: cart.read_text() == before.replace(SUM["old"], SUM["new"]))


async def test_all_problems_of_a_file(studio: Studio) -> None:
    """By the light bulb, and by the command: the model hears of both problems."""
    shop = studio.folder / "shop.json"
    shop.write_text('{\n  "name": "shop"\n  "open": true\n  "size": 3\n}\n')
    second = {"path": "shop.json", "old": "true\n", "new": "true,\n"}
    studio.endpoint.add(edit(COMMA, second), answer("Two commas were missing."))
    studio.endpoint.add(edit(COMMA, second), answer("Two commas were missing."))
    window = await studio.window()
    await window.open_file("shop.json")
    await expect(window.page.locator(".squiggly-error")).to_have_count(2)
    await window.go_to_line(3, 3)
    await window.light_bulb("Fix all 2 problems in this file with Kaaj")
    await expect(window.lens("reject").first).to_be_visible()
    assert told(studio).count("Expected comma") == 2
    await window.shot("proposed")
    await window.lens("reject").first.click()
    await expect(window.lens("reject")).to_have_count(0)
    await window.command("Kaaj: Fix problems in this file")
    await expect(window.lens("apply 1 hunk in")).to_be_visible()
    assert told(studio, -1).count("Expected comma") >= 2
    await window.lens("apply 1 hunk in").click()
    await expect(window.page.locator(".squiggly-error")).to_have_count(0)
    await window.save()
    await until("the file is mended", lambda: shop.read_text().count(",") == 2)


async def test_a_comment_is_a_task(studio: Studio) -> None:
    """How far it is stands at the end of the line; one undo takes back all of it."""
    cart = studio.folder / "cart.py"
    text = cart.read_text().replace("    result = 0\n", WISH + "    result = 0\n")
    cart.write_text(text)
    body = "    result = 0\n    for price in prices:\n        result = price\n    return result\n"
    tidy = {"path": "cart.py", "old": WISH + body, "new": "    return sum(prices)\n"}
    go = asyncio.Event()

    async def when_told(_: Any) -> Answer:
        await go.wait()
        return edit(tidy, COUNT)

    studio.endpoint.add(answer_calls(todo("Use sum()", "Count rightly")), when_told, answer("Both are done."))
    window = await studio.window()
    await window.open_file("cart.py")
    await window.go_to_line(2, 7)
    await window.light_bulb("Kaaj: do “use sum()”")

    async def progress() -> bool:
        return "Kaaj 1/2: Use sum()" in await line_end(window)

    await until("the progress at the line's end", progress)
    await window.shot("at-work")
    # The word moves along with its line.
    await window.go_to_line(1)
    await window.page.keyboard.type("# naïve 😀\n")
    await until("the progress at the line's end", progress)
    await window.shot("moved")
    assert cart.read_text() == text
    go.set()
    await expect(window.lens("apply 2 hunks")).to_be_visible()
    await until("the word has gone", lambda: no_progress(window))
    assert "use sum()" in told(studio)
    await window.lens("apply 2 hunks").click()
    await expect(window.editor_text()).to_contain_text("return sum(prices)")
    await window.editor_text().click()
    await window.page.keyboard.press("Control+Z")
    await expect(window.editor_text()).to_contain_text("# kaaj: use sum()")
    await window.save()
    await until("one undo took both hunks back", lambda: cart.read_text() == "# naïve 😀\n" + text)


async def no_progress(window: Workbench) -> bool:
    return "Kaaj" not in await line_end(window)
