"""One window of VS Code, as a person sees it: found by what is written there, driven by keys and clicks."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from playwright.async_api import ConsoleMessage, Error, Locator, Page, expect

from rig.chat import Chat
from rig.code_server import CodeServer
from rig.polling import until

SHOTS: Final = Path(__file__).resolve().parents[4] / "build" / "screenshots"
WIDE: Final = (1300, 800)
READY_MS: Final = 40_000

Exposed: TypeAlias = Mapping[str, Callable[..., Any]]


@dataclass(slots=True)
class Workbench:
    """A window in a browser page. `journey` names its screenshots."""

    page: Page
    server: CodeServer
    journey: str
    console: list[str]

    @classmethod
    async def open(
        cls, page: Page, server: CodeServer, url: str, journey: str, exposed: Exposed | None = None
    ) -> Workbench:
        """Open the address and wait until the window is drawn. The page can call what is `exposed`."""
        console: list[str] = []

        def hear(message: ConsoleMessage) -> None:
            console.append(f"{message.type}: {message.text}")

        def catch(error: Error) -> None:
            console.append(f"uncaught: {error}\n{error.stack}")

        page.on("console", hear)
        page.on("pageerror", catch)
        for name, function in (exposed or {}).items():
            await page.expose_function(name, function)  # pyright: ignore[reportUnknownMemberType]  # typed in part
        await page.goto(url)
        window = cls(page, server, journey, console)
        await page.locator(".monaco-workbench").wait_for(timeout=READY_MS)
        return window

    # --- looking ----------------------------------------------------------------------------------------------

    async def shot(self, step: str) -> Path:
        """A picture of the window, as build/screenshots/<journey>-<step>.png."""
        path = SHOTS / f"{self.journey}-{step}.png"
        await self.page.screenshot(path=path, animations="disabled")
        return path

    def status(self) -> Locator:
        """Kaaj's entry in the status bar."""
        return self.page.locator("#kaaj\\.kaaj\\.kaaj\\.status")

    async def kaaj_is_ready(self) -> None:
        """The server runs and has answered."""
        await until("Kaaj in the status bar", self._is_active, READY_MS / 1000)
        await until("a language server", self.server.language_servers)
        await until("the status bar says that Kaaj is ready", self._rests)

    async def _is_active(self) -> bool:
        failed = [line for line in self.console if "Activating extension 'kaaj.kaaj' failed" in line]
        if failed:
            raise AssertionError(failed[0])
        return await self.status().count() > 0

    async def _rests(self) -> bool:
        said = await self.status().get_attribute("aria-label") or ""
        return bool(said) and "starting" not in said.lower() and "loading" not in (await self.status().inner_html())

    @property
    def chat(self) -> Chat:
        return Chat(self.page)

    def editor(self, name: str | None = None) -> Locator:
        """The text editor that is seen, or the one whose document has that name."""
        if name is None:
            return self.page.locator(".editor-group-container .monaco-editor[role=code]:visible").last
        pattern = re.compile(re.escape(name))
        return self.page.locator(".monaco-editor[role=code]:visible").filter(has=self.page.get_by_label(pattern)).last

    async def tabs(self) -> list[str]:
        """What is open, by the names in the tabs."""
        found = await self.page.locator(".tabs-container .tab").all()
        return [await tab.get_attribute("data-resource-name") or "" for tab in found]

    def tree(self, name: str) -> Locator:
        """A tree view by its title."""
        return self.page.get_by_role("tree", name=name)

    def row(self, tree: str, text: str | re.Pattern[str]) -> Locator:
        """A tree's row that has the text in it."""
        return self.tree(tree).get_by_role("treeitem").filter(has_text=text).first

    async def rows(self, tree: str) -> Sequence[str]:
        """What the rows of a tree say, top to bottom, as a screen reader has it."""
        found = await self.tree(tree).get_by_role("treeitem").all()
        return [await row.get_attribute("aria-label") or "" for row in found]

    def diff(self) -> Locator:
        """The diff editor that is seen."""
        return self.page.locator(".monaco-diff-editor:visible").last

    def editor_text(self) -> Locator:
        """The lines that the text editor at hand shows (its spaces are no-break spaces)."""
        return self.page.locator(".editor-group-container.active .monaco-editor .view-lines").last

    def lens(self, title: str) -> Locator:
        """A lens above a line of the editor at hand."""
        return self.page.locator(".codelens-decoration a").filter(has_text=title)

    async def status_says(self, what: str | re.Pattern[str], seconds: float = 30) -> None:
        """Kaaj's entry in the status bar has this label or text."""
        pattern = re.compile(re.escape(what)) if isinstance(what, str) else what

        async def said() -> bool:
            label = await self.status().get_attribute("aria-label") or ""
            return bool(pattern.search(label) or pattern.search(await self.status().inner_text()))

        await self.status().wait_for(timeout=READY_MS)
        await until(f"the status bar says {pattern.pattern}", said, seconds)

    # --- doing ------------------------------------------------------------------------------------------------

    async def command(self, title: str) -> None:
        """Run a command by its whole title, by the command palette."""
        await self.page.keyboard.press("F1")
        box = self.page.locator(".quick-input-widget .quick-input-box input")
        await box.wait_for()
        await box.fill(f">{title}")
        row = self.page.locator(".quick-input-list [role=option]").filter(has_text=title).first
        await row.click()

    async def type_into_quick_input(self, text: str) -> None:
        """Answer the question that stands at the top."""
        box = self.page.locator(".quick-input-widget .quick-input-box input")
        await box.wait_for()
        await box.fill(text)
        await box.press("Enter")

    async def pick(self, label: str | re.Pattern[str]) -> None:
        """Choose a row of the list that stands at the top."""
        await self.page.locator(".quick-input-list [role=option]").filter(has_text=label).first.click()

    async def open_file(self, name: str) -> None:
        """Open a file of the workspace by its name."""
        await self.page.keyboard.press("Control+P")
        box = self.page.locator(".quick-input-widget .quick-input-box input")
        await box.wait_for()
        await box.fill(name)
        # A diff of the file that was open has a row and a tab of its own.
        row = self.page.locator(".quick-input-list [role=option]").filter(has_text=name, has_not_text="(Kaaj)").first
        await row.click()
        tab = self.page.locator(".editor-group-container.active .tab.active").filter(has_not_text="(Kaaj)")
        await tab.and_(self.page.locator(f'[data-resource-name="{name}"]')).wait_for()

    async def ask(self, prompt: str) -> None:
        """Start a task by the command palette, at the place of the editor at hand."""
        await self.command("Kaaj: New task…")
        await self.type_into_quick_input(prompt)

    async def save(self) -> None:
        await self.page.keyboard.press("Control+S")

    async def show_kaaj(self) -> None:
        """Open Kaaj's place in the side bar."""
        tab = self.page.locator(".activitybar").get_by_role("tab", name="Kaaj")

        async def selected() -> bool:
            if await tab.get_attribute("aria-selected") == "true":
                return True
            await tab.click()  # which closes it, should it have opened meanwhile: then the next look clicks again
            with contextlib.suppress(AssertionError):
                await expect(tab).to_have_attribute("aria-selected", "true", timeout=1500)
            return False

        await until("the side bar shows Kaaj", selected)
        await self.page.mouse.move(900, 650)  # a pointer that rests on the icon has its hover lie over the view

    async def widen_side_bar(self, width: int) -> None:
        """Drag the side bar's edge until it is so wide, in pixels."""
        box = await self.page.locator(".part.sidebar").bounding_box()
        if box is None:
            raise AssertionError("no side bar is shown")
        edge = box["x"] + box["width"]
        mouse = self.page.mouse
        await mouse.move(edge, 400)
        await mouse.down()
        await mouse.move(edge + 20, 400)
        await mouse.move(box["x"] + width, 400, steps=3)
        await mouse.up()

    async def row_action(self, tree: str, text: str | re.Pattern[str], action: str) -> None:
        """Press one of the small buttons of a tree's row."""
        row = self.row(tree, text)
        button = row.get_by_role("button", name=action).first

        async def pressed() -> bool:
            # The rows may move under the pointer while something new is drawn: then it is pointed at once more.
            try:
                await row.hover(timeout=3000)
                await button.click(timeout=3000)
            except Error:
                return False
            return True

        await until(f"{action} of {text} can be pressed", pressed)

    async def go_to_line(self, line: int, column: int = 1) -> None:
        """Put the cursor there, lines and columns from 1."""
        await self.page.keyboard.press("Control+G")
        await self.type_into_quick_input(f":{line}:{column}")
        await self.page.locator(".quick-input-widget").wait_for(state="hidden")

    async def view_action(self, tree: str, action: str) -> None:
        """Press one of the buttons in a view's title."""
        title = self.page.locator(".pane-header").filter(has_text=tree).first
        await title.hover()
        await title.get_by_role("button", name=action).click()

    async def light_bulb(self, label: str | re.Pattern[str]) -> None:
        """Ask what can be done at the cursor and choose it."""
        entry = self.page.locator(".action-widget [role=option], .action-widget .action").filter(has_text=label).first

        async def offered() -> bool:
            await self.page.keyboard.press("Control+.")
            try:
                await entry.wait_for(timeout=2500)
            except Exception:  # noqa: BLE001 - whatever kept it away, the question is asked again
                await self.page.keyboard.press("Escape")
                return False
            return True

        await until(f"a light bulb with {label}", offered)
        await entry.click()
