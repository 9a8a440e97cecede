"""The chat in Kaaj's side bar, as a person sees it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Frame, FrameLocator, Locator, Page, expect

from rig.polling import until


@dataclass(frozen=True, slots=True)
class Chat:
    page: Page

    @property
    def frame(self) -> FrameLocator:
        return self.page.frame_locator("iframe.webview.ready").frame_locator("iframe#active-frame")

    @property
    def body(self) -> Locator:
        """All that the chat says."""
        return self.frame.locator("body")

    async def inside(self) -> Frame:
        """The frame itself, to look at what a person cannot see."""
        handle = await self.field.element_handle()
        frame = await handle.owner_frame()
        if frame is None:
            raise AssertionError("the chat has no frame")
        return frame

    @property
    def field(self) -> Locator:
        """Where a prompt is typed."""
        return self.frame.get_by_label("What should be done?")

    @property
    def turns(self) -> Locator:
        return self.frame.locator("article")

    @property
    def newest(self) -> Locator:
        return self.turns.last

    def button(self, name: str) -> Locator:
        return self.frame.get_by_role("button", name=name, exact=True)

    async def send(self, prompt: str) -> None:
        """Type it and press Enter, once the server can take it; the field is empty when it was taken."""
        await self.field.fill(prompt)
        await expect(self.button("Send")).to_be_enabled(timeout=30_000)
        await self.field.press("Enter")
        await expect(self.field).to_have_value("")

    async def ended(self) -> None:
        """No task of the session runs."""
        await until("the task has ended", self.rests, 30)

    async def rests(self) -> bool:
        return await self.turns.count() > 0 and await self.button("Stop the task").count() == 0
