"""The first run: the walkthrough leads from an empty window to a change that is applied to the sample."""

from __future__ import annotations

from playwright.async_api import expect

from kaaj_agent.testing import answer, answer_calls
from rig.polling import until
from rig.studio import Studio


async def test_walkthrough(studio: Studio) -> None:
    window = await studio.window(empty=True)
    await window.command("Kaaj: Get started")
    page = window.page
    guide = page.locator(".gettingStartedContainer")
    await expect(guide).to_contain_text("Get started with Kaaj")
    await window.shot("begin")
    step = guide.locator(".step-container, .getting-started-step")
    await step.filter(has_text="Open a sample").first.click()
    await (
        guide.get_by_role("button", name="Open the sample")
        .or_(guide.get_by_text("Open the sample", exact=True))
        .first.click()
    )

    # The same window, now on the sample, with the walkthrough beside the file that is at fault.
    await expect(page.locator(".tabs-container .tab[data-resource-name='prices.py']")).to_be_visible(timeout=60_000)
    await window.kaaj_is_ready()
    await expect(guide).to_contain_text("Let Kaaj fix it")
    await window.shot("sample")
    [prices] = (studio.home / "code-server").rglob("sample-shop/shop/prices.py")
    before = prices.read_text()
    line = next(line for line in before.splitlines() if "10" in line and "quantity" in line)
    studio.endpoint.add(
        answer_calls(("edit", {"path": "shop/prices.py", "old": line, "new": line + "  # mended"})),
        answer("The bound was off by one."),
    )
    await guide.get_by_text("Fix the failing test", exact=True).first.click()
    await expect(window.row("Changes", "prices.py")).to_be_visible(timeout=30_000)
    await window.shot("proposed")
    await step.filter(has_text="Look at the change").first.click()
    await guide.get_by_text("Apply it", exact=True).first.click()
    await until("the sample is changed", lambda: prices.read_text() == before.replace(line, line + "  # mended"))
    await window.shot("applied")
