"""The VS Code client, measured in the real workbench (code-server in Chromium): `tests/bench/vscode.py [PART...]`.

    activation   milliseconds that VS Code says the extension took, and from the window's address to a ready server
    pixels       milliseconds from a token on the endpoint's socket to the frame that shows it, 10,000 tokens at 200/s
    memory       the JavaScript heap of the chat's page after 100 turns, what was collectable collected
    axe          what axe-core says of the chat

Needs what `make test-editors` installs, and dist/kaaj.vsix.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "editors" / "lib"))

from playwright.async_api import Browser, async_playwright

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer
from rig import install
from rig.accessibility import findings
from rig.code_server import Program
from rig.script import mending_cart
from rig.studio import Studio
from rig.workbench import Workbench

ROOT: Final = Path(__file__).resolve().parents[2]
VSIX: Final = ROOT / "dist" / "kaaj.vsix"
TOKENS: Final = 10_000
PER_SECOND: Final = 200.0
TURNS: Final = 100
MEGA: Final = 1e6
CART: Final = "def total(prices):\n    result = 0\n    result = price\n    return len(prices) + 1\n"


class Paced(ScriptedEndpoint):
    """Tells when each event went out, in seconds since the epoch."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(*answers)
        self.sent: list[float] = []

    def _events(self, reply: Answer, body: Any) -> Iterable[Any]:
        return self._stamped(super()._events(reply, body))

    def _stamped(self, events: Iterable[Any]) -> Iterator[Any]:
        for event in events:
            self.sent.append(time.time())
            yield event


@asynccontextmanager
async def studio(browser: Browser, program: Program, endpoint: ScriptedEndpoint) -> AsyncGenerator[Studio]:
    with tempfile.TemporaryDirectory(prefix="kaaj-bench-") as home:
        folder = Path(home) / "shop"
        folder.mkdir()
        (folder / "cart.py").write_text(
            "def total(prices):\n    result = 0\n    result = price\n    return len(prices) + 1\n"
        )
        kaaj = Path(sys.executable).parent / "kaaj"
        made = Studio(program, browser, Path(home), folder, endpoint, kaaj, "bench")
        async with endpoint:
            try:
                yield made
            finally:
                await made.close()


# --- activation ---------------------------------------------------------------------------------------------------


async def activation(browser: Browser, program: Program) -> None:
    times: list[float] = []
    told: list[int] = []
    for _ in range(5):
        async with studio(browser, program, ScriptedEndpoint()) as made:
            await made.server()
            began = time.perf_counter()
            window = await made.window()
            times.append(time.perf_counter() - began)
            told.append(await told_activation(window))
    print(f"activation: {statistics.median(told)} ms as VS Code counts it (median of {sorted(told)})")
    print(f"window to a ready server: {statistics.median(times):.1f} s (median of 5, all of the workbench included)")


async def told_activation(window: Workbench) -> int:
    await window.command("Developer: Show Running Extensions")
    row = window.page.locator(".runtime-extensions-editor .extension").filter(has_text="kaaj").first
    text = await row.locator(".activation-time").inner_text()
    found = re.search(r"(\d+)\s*ms", text)
    if found is None:
        raise RuntimeError(f"VS Code told no time: {text!r}")
    return int(found.group(1))


# --- from token to pixels -----------------------------------------------------------------------------------------

WATCH: Final = """() => {
    // With each drawing: which token is the last one that the page shows; told when that frame has been painted.
    const seen = window.seen = [];
    let last = -1;
    const newest = () => {
        const turn = [...document.querySelectorAll("article")].at(-1);
        if (!turn) return -1;
        const walk = document.createTreeWalker(turn, NodeFilter.SHOW_TEXT);
        let node = walk.lastChild();
        while (node && node.nodeType !== 3) node = walk.lastChild();
        for (let text = walk.currentNode, n = 0; text && n < 60; text = walk.previousNode(), n++) {
            const found = /.*w(\\d+)w/s.exec(text.data ?? "");
            if (found) return Number(found[1]);
        }
        return -1;
    };
    // An observer hears of a drawing as soon as it is done; a message posted then comes after the frame's painting.
    new MutationObserver(() => {
        const now = newest();
        if (now <= last) return;
        last = now;
        const painted = new MessageChannel();
        painted.port1.onmessage = () => seen.push([now, performance.timeOrigin + performance.now()]);
        painted.port2.postMessage(0);
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""


def prose() -> Sequence[str]:
    """Tokens with numbers: paragraphs, lists and code blocks, as a model writes them."""
    tokens: list[str] = []
    for number in range(TOKENS):
        place = number % 500
        item, code = 300 <= place < 400 and place % 10 == 0, place == 400
        before = "\n```python\n" if code else "\n- " if item else ""
        after = (
            "\n```\n\n"
            if place == 499
            else "\n\n"
            if place in {60, 120, 180, 240}
            else "\n"
            if place % 12 == 11
            else " "
        )
        tokens.append(f"{before}w{number}w{after}")
    return tokens


async def pixels(browser: Browser, program: Program) -> None:
    base = answer("")
    events = [{"choices": [{"index": 0, "delta": {"content": token}, "finish_reason": None}]} for token in prose()]
    endpoint = Paced(replace(base, events=events, pause=1 / PER_SECOND))
    async with studio(browser, program, endpoint) as made:
        window = await made.window()
        await window.show_kaaj()
        await window.chat.field.wait_for()
        frame = await window.chat.inside()
        await frame.evaluate(WATCH)
        began = time.perf_counter()
        await window.chat.send("stream")
        await window.chat.newest.get_by_text(f"w{TOKENS - 1}w").wait_for(timeout=240_000)
        took = time.perf_counter() - began
        seen: list[tuple[int, float]] = await frame.evaluate("window.seen")
    delays: list[float] = []
    shown = iter(seen)
    newest, at = next(shown)
    for number in range(TOKENS):
        while newest < number:
            newest, at = next(shown)
        delays.append(at - endpoint.sent[number] * 1000)
    delays.sort()
    p50, p95, p99 = (delays[int(TOKENS * part)] for part in (0.5, 0.95, 0.99))
    rate = TOKENS / took
    print(f"token to pixels: p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms, max {delays[-1]:.0f} ms")
    print(f"  {TOKENS:,} tokens at {rate:.0f}/s, drawn in {len(seen):,} frames")


# --- memory -------------------------------------------------------------------------------------------------------


async def memory(browser: Browser, program: Program) -> None:
    text = "\n\n".join(f"Paragraph {number} about **prices**, `cart.py` and what they come to." for number in range(12))
    code = "\n\n```python\n" + "\n".join(f"price_{number} = {number} * quantity" for number in range(20)) + "\n```\n"
    async with studio(browser, program, ScriptedEndpoint(last=answer(text + code, chunk=40))) as made:
        window = await made.window()
        await window.show_kaaj()
        await window.chat.field.wait_for()
        before, nodes_before = await heap(window)
        for number in range(TURNS):
            await window.chat.send(f"turn {number}")
            await window.chat.newest.get_by_text("Done", exact=True).wait_for()
        after, nodes = await heap(window)
        # The chat's page has a heap of its own only where it has a process of its own: what it added is told.
        grown = (after - before) / MEGA
        print(f"memory after {TURNS} turns: {grown:.1f} MB more than before (heap {after / MEGA:.0f} MB)")
        print(f"  DOM nodes: {nodes_before:,} before, {nodes:,} after")


async def heap(window: Workbench) -> tuple[float, int]:
    """Bytes of the heap in which the chat's page lives, garbage collected, and the DOM nodes of the page."""
    frame = await window.chat.inside()
    session: Any = await window.page.context.new_cdp_session(window.page)
    await session.send("HeapProfiler.collectGarbage")
    used: dict[str, float] = await session.send("Runtime.getHeapUsage")
    nodes: int = await frame.evaluate("document.querySelectorAll('*').length")
    await session.detach()
    return used["usedSize"], nodes


# --- accessibility ------------------------------------------------------------------------------------------------


async def axe(browser: Browser, program: Program) -> None:
    async with studio(browser, program, ScriptedEndpoint(*mending_cart())) as made:
        window = await made.window()
        await window.show_kaaj()
        await window.chat.send("sum and count")
        await window.chat.button("Apply").wait_for()
        found = await findings(window.chat)
    print(f"axe-core: {len(found)} findings")
    for one in found:
        print(f"  {one['impact']}: {one['id']}: {one['help']} ({len(one['where'])} places)")


PARTS: Final = {"activation": activation, "pixels": pixels, "memory": memory, "axe": axe}


async def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    if not VSIX.exists() or not install.code_server().exists() or install.browser() is None:
        print("dist/kaaj.vsix or the editor is not there: `make test-editors` makes them. Nothing is measured.")
        return
    print(f"{VSIX.name}: {VSIX.stat().st_size:,} bytes")
    with tempfile.TemporaryDirectory(prefix="kaaj-bench-") as home:
        program = Program(install.node(), install.code_server(), Path(home) / "extensions")
        program.install_extension(VSIX)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=install.browser(), args=["--no-sandbox", "--disable-gpu"]
            )
            for name in chosen:
                await PARTS[name](browser, program)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
