"""What a model or a file's name says is text: no markup of theirs is drawn, no script runs. And a long reply."""

from __future__ import annotations

from typing import Any, Final

from playwright.async_api import expect

from kaaj_agent.testing import answer, answer_calls
from rig.script import edit, todo
from rig.studio import Studio

EVIL: Final = """\
<script>window.top.postMessage({kaaj: "pwned"}, "*"); window.pwned = 1</script>
<img src=x onerror="window.pwned = 1"> <b id="bold">bold</b> <iframe src="https://example.com"></iframe>

[a link](javascript:window.pwned=1) ![a picture](https://example.com/pixel.png)
[a command](command:workbench.action.quit)

```html
<style>* { display: none }</style><script>window.pwned = 1</script>
```

<div style="position:fixed;inset:0">over all</div>
"""
NAME: Final = "<img src=x onerror=alert(1)>.py"


async def test_markup(studio: Studio) -> None:
    odd = studio.folder / NAME
    odd.write_text("one = 1\n")
    asked: list[str] = []
    studio.endpoint.add(
        answer_calls(todo("<b>fat</b> [x](command:y)"), text=EVIL),
        edit({"path": NAME, "old": "one = 1", "new": "one = '<script>window.pwned=1</script>'"}),
        answer("# <i>Done</i> **with** <u>it</u>"),
    )
    window = await studio.window()

    def hear(request: Any) -> None:
        asked.append(request.url)

    window.page.on("request", hear)
    await window.show_kaaj()
    await window.chat.send("<script>window.pwned = 1</script> & <b>me</b>")
    await expect(window.chat.button("Apply")).to_be_visible()
    newest = window.chat.newest
    await expect(newest).to_contain_text("<script>window.pwned = 1</script> & <b>me</b>")
    await expect(newest).to_contain_text('<img src=x onerror="window.pwned = 1">')
    await expect(newest).to_contain_text("<i>Done</i>")
    await expect(newest).to_contain_text(NAME)
    await window.shot("chat")
    assert await newest.locator("script, iframe, img, #bold, i > i, u, [style*=fixed]").count() == 0
    links = [await link.get_attribute("href") or "" for link in await newest.locator("a").all()]
    assert not [link for link in links if link.startswith(("javascript:", "command:"))], links
    await expect(window.row("Changes", NAME)).to_be_visible()
    await expect(window.row("To-do", "<b>fat</b>")).to_be_visible()
    await window.row("Changes", "Line 1").click()
    await expect(window.diff()).to_be_visible()
    await window.shot("diff")
    frame = await window.chat.inside()
    assert await frame.evaluate("window.pwned") is None
    assert await window.page.evaluate("window.pwned") is None
    assert not [url for url in asked if "example.com" in url]


async def test_long_reply(studio: Studio) -> None:
    """200,000 characters: the page answers the person while they come, and all of them are there."""
    words = "the prices of the shop are summed and counted, " * 20
    text = "\n\n".join(f"Paragraph {number}: {words}" for number in range(220))[:200_000] + "\n\nThe **end**."
    studio.endpoint.add(answer(text, chunk=400))
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("tell me everything")
    await window.chat.field.fill("typed meanwhile")  # it would time out, were the page not at the person's hands
    await expect(window.chat.newest.locator("strong")).to_have_text("end", timeout=60_000)
    await window.chat.ended()
    assert await window.chat.field.input_value() == "typed meanwhile"
    shown = await window.chat.newest.inner_text()
    assert len(shown) > 195_000
    await window.shot("end")
