"""What a person is told who does not look: messages while the window is not focused, and the list to be heard."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Locator, expect

from kaaj_agent.testing import answer, answer_calls
from rig.script import mending_cart
from rig.studio import Studio
from rig.workbench import Workbench

AWAY: Final = """() => {
    document.hasFocus = () => false;
    window.dispatchEvent(new Event("blur"));
}"""
BACK: Final = """() => {
    delete document.hasFocus;
    window.dispatchEvent(new Event("focus"));
}"""


async def messages(window: Workbench) -> Locator:
    """All that stands in the notification centre: there is what a toast may hold back."""
    await window.command("Notifications: Show Notifications")
    return window.page.locator(".notifications-center .notification-list-item")


async def cleared(window: Workbench) -> None:
    await window.command("Notifications: Clear All Notifications")


async def focus_is(window: Workbench, *, away: bool) -> None:
    await window.page.evaluate(AWAY if away else BACK)
    assert await window.page.evaluate("document.hasFocus()") is not away


async def test_messages_for_who_is_away(studio: Studio) -> None:
    studio.settings["kaaj.notifications"] = True
    studio.endpoint.add(answer("Seen."), *mending_cart(), answer("All is said."))
    window = await studio.window()
    await window.show_kaaj()

    # Who looks needs no message.
    await window.chat.send("say something")
    await expect(window.chat.newest).to_contain_text("Seen.")
    await window.chat.ended()
    found = await messages(window)
    await expect(found.filter(has_text="Kaaj")).to_have_count(0)

    # Away: a change waits, and its message leads to it.
    await focus_is(window, away=True)
    await window.chat.send("sum and count")
    await expect(window.chat.button("Apply")).to_be_visible()
    found = await messages(window)
    waiting = found.filter(has_text="Kaaj has a change for you: The prices are summed")
    await expect(waiting).to_have_count(1)
    await window.shot("change")
    await waiting.get_by_role("button", name="Show change").click()
    await expect(window.diff()).to_be_visible()
    await window.chat.button("Reject").click()
    await window.type_into_quick_input("")
    await window.chat.ended()

    # And the end of a task.
    await cleared(window)
    await window.chat.send("the last word")
    await expect(window.chat.newest).to_contain_text("All is said.")
    await window.chat.ended()
    found = await messages(window)
    await expect(found.filter(has_text="Kaaj is done: All is said.")).to_have_count(1)
    await window.shot("done")


async def test_no_messages_unless_wanted(studio: Studio) -> None:
    studio.endpoint.add(answer("Off."))
    window = await studio.window()
    await window.show_kaaj()
    await focus_is(window, away=True)
    await window.chat.send("say something")
    await expect(window.chat.newest).to_contain_text("Off.")
    await window.chat.ended()
    found = await messages(window)
    await expect(found.filter(has_text="Kaaj")).to_have_count(0)


async def test_a_question_is_put(studio: Studio) -> None:
    """Where a command has to be asked for: the question stands there with its answers, also for who is away."""
    studio.settings["kaaj.sandbox"] = "off"
    studio.endpoint.add(answer_calls(("run", {"command": "expr 6 '*' 7"})), answer("Counted."))
    window = await studio.window()
    await window.show_kaaj()
    await focus_is(window, away=True)
    await window.chat.send("count it")
    await expect(window.chat.newest.get_by_label("A question waits")).to_be_visible()
    await window.status_says("Kaaj asks")
    found = await messages(window)
    question = found.filter(has_text="expr 6")
    await expect(question).to_have_count(1)
    await window.shot("asked")
    assert len(studio.endpoint.prompts) == 1
    await question.get_by_role("button").filter(has_text="Run").first.click()
    await expect(window.chat.newest).to_contain_text("Counted.")
    await expect(window.chat.newest.get_by_label("A question waits")).to_have_count(0)
    assert studio.endpoint.prompts[-1]["messages"][-1]["content"].endswith("42")


STUB: Final = """() => {
    window.spoken = [];
    window.tones = [];
    const heard = { speak: ({ text }) => window.spoken.push(text) };
    Object.defineProperty(window, "speechSynthesis", { value: heard, configurable: true });
    const Oscillator = window.OscillatorNode;
    window.OscillatorNode = class extends Oscillator {
        constructor(context, options) {
            super(context, options);
            window.tones.push(options.frequency);
        }
    };
}"""


SPOKEN: Final = ["created a to-do list", "item one done", "item two done, the list is finished"]
TONES: Final = [523, 659, 523, 659, 784]
HEARD: Final[dict[str, tuple[list[str], list[int]]]] = {
    "off": ([], []),
    "speech": (SPOKEN, []),
    "sound": ([], TONES),
}


@pytest.mark.parametrize("how", HEARD)
async def test_the_list_is_heard(studio: Studio, how: str) -> None:
    """Silent unless it is wanted; then by the browser's own speech, or by tones. A screen reader has it in any case."""
    if how != "off":  # which it is by itself
        studio.settings["kaaj.speech"] = how
    studio.endpoint.add(*mending_cart())
    window = await studio.window()
    await window.show_kaaj()
    await window.chat.field.wait_for()
    page = await window.chat.inside()
    await page.evaluate(STUB)
    await window.chat.send("sum and count")
    await expect(window.chat.button("Apply")).to_be_visible()
    heard = await page.evaluate("[window.spoken, window.tones]")
    assert tuple(heard) == HEARD[how]
    log = window.chat.frame.get_by_role("log", name="Kaaj says")
    await expect(log).to_contain_text("item two done, the list is finished")
