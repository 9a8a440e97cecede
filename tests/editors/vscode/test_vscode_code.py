"""Code in the chat: coloured as the editor colours it, copied, put into a file. And what the page forbids itself."""

from __future__ import annotations

import re

from playwright.async_api import expect

from kaaj_agent.testing import answer
from rig.studio import Studio

CODE = "def third(prices):\n    return prices[2]  # from 0"
INJECT = """() => {
    try { document.body.insertAdjacentHTML("beforeend", "<b id=injected>no</b>"); } catch (error) { return error.name; }
    return "taken";
}"""
FETCH = "() => fetch('https://example.com').then(() => 'taken', () => 'refused')"


async def test_code(studio: Studio) -> None:
    studio.endpoint.add(answer(f"So:\n\n```python\n{CODE}\n```\n\nThat is all."))
    window = await studio.window()
    await window.open_file("cart.py")
    await window.show_kaaj()
    await window.chat.send("how do I get the third price?")
    await expect(window.chat.newest).to_contain_text("That is all.")
    colour = "(word) => getComputedStyle(word).color"
    keyword = window.chat.newest.locator("code span").filter(has_text=re.compile("^def$"))
    in_editor = window.editor_text().locator("span span").filter(has_text=re.compile(r"^def\s*$")).first
    await expect(keyword).to_be_visible()
    assert await keyword.evaluate(colour) == await in_editor.evaluate(colour)
    await window.shot("coloured")

    await window.chat.button("Copy code").click()
    await window.editor_text().click()
    await window.go_to_line(10)
    await window.page.keyboard.press("Control+V")
    await expect(window.editor_text()).to_contain_text("prices[2]")
    await window.page.keyboard.press("Control+Z")
    await expect(window.editor_text()).not_to_contain_text("prices[2]")
    await window.chat.button("Insert at cursor").click()
    await expect(window.editor_text()).to_contain_text("prices[2]")

    frame = await window.chat.inside()
    policy = await frame.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; script-src 'nonce-"), policy
    assert "unsafe" not in policy
    assert await frame.evaluate(INJECT) == "TypeError"
    assert await frame.evaluate(FETCH) == "refused"
