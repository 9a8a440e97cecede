"""Plan, ask and auto, chosen by keys; what a task takes; stop and retry."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import expect

from kaaj_agent.testing import answer, answer_calls
from rig.polling import until
from rig.script import COUNT, SUM, edit, held, todo
from rig.studio import Studio
from rig.workbench import Workbench


async def choose(window: Workbench, now: str, mode: str) -> None:
    """By keys, from the button that names the mode of now."""
    await window.chat.button(f"Mode: {now}").press("Enter")
    row = window.chat.frame.get_by_role("menuitemradio").filter(has_text=mode)
    while not await row.evaluate("(row) => row === document.activeElement"):
        await window.page.keyboard.press("ArrowDown")
    await window.page.keyboard.press("Enter")
    await expect(window.chat.button(f"Mode: {mode}")).to_be_visible()
    await expect(window.chat.field).to_be_focused()


async def test_modes(studio: Studio) -> None:
    cart = studio.folder / "cart.py"
    before = cart.read_text()
    studio.settings |= {"kaaj.contextWindow": 32_768, "kaaj.prices": {"input": 100, "output": 100}}
    studio.endpoint.add(
        answer_calls(todo("Sum the prices"), text="It sums nothing. "),
        answer("That is the plan."),
        edit(SUM),
        answer("Summed."),
        edit(COUNT),
        answer("Counted."),
    )
    window = await studio.window()
    await window.show_kaaj()
    await choose(window, "Ask", "Plan")
    await window.shot("plan")
    await window.chat.send("sum the prices")
    await expect(window.chat.newest).to_contain_text("Planned")
    # What a screen reader hears.
    await expect(window.chat.frame.get_by_role("log")).to_contain_text("The task is done")
    # The window of the model, the tokens and what they cost.
    gauge = window.chat.frame.get_by_role("meter", name="Context window")
    await expect(gauge).to_have_attribute("aria-valuetext", re.compile(r"[\d,]+ of 32,768 tokens"))
    await expect(window.chat.newest).to_contain_text(re.compile(r"k tokens · cost \d"))
    await expect(window.chat.frame.locator("form")).to_contain_text(re.compile(r"\dk · \d"))

    await window.chat.button("Run the plan").click()
    await window.chat.button("Apply").click()
    await until("the plan was run", lambda: cart.read_text() == before.replace(SUM["old"], SUM["new"]))

    await choose(window, "Plan", "Auto")
    await window.chat.ended()
    await window.chat.send("and count them")
    await until("it is applied without a word", lambda: COUNT["old"] not in cart.read_text())
    await expect(window.chat.newest.get_by_label("Change, applied")).to_be_visible()
    await window.shot("auto")


async def test_stopped(studio: Studio) -> None:
    """By Escape, and by the button; and tried once more with one click. Nothing moves for those who do not want it."""
    never = asyncio.Event()
    studio.settings |= {"workbench.reduceMotion": "off"}
    studio.endpoint.add(held("I think about it", never), held("I think again", never), answer("Now I know."))
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.send("think hard")
    await expect(window.chat.newest).to_contain_text("I think about it")
    moves = "(dot) => getComputedStyle(dot).animationName"
    dot = window.chat.newest.locator(".working i").first
    assert await dot.evaluate(moves) != "none"
    await window.page.emulate_media(reduced_motion="reduce")
    assert await dot.evaluate(moves) == "none"
    await window.chat.field.press("Escape")
    await expect(window.chat.newest).to_contain_text("Cancelled")
    await window.shot("cancelled")
    await window.chat.button("Retry").click()
    await expect(window.chat.turns).to_have_count(2)
    await expect(window.chat.newest).to_contain_text("I think again")
    await window.chat.button("Stop the task").click()
    await expect(window.chat.newest).to_contain_text("Cancelled")
    await window.chat.button("Retry").click()
    await expect(window.chat.newest).to_contain_text("Now I know.")
    await expect(window.chat.turns).to_have_count(3)
