"""What axe-core says of the chat: the rules of WCAG 2.2 A and AA, and axe's own best practices."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from rig.chat import Chat

AXE: Final = Path(__file__).resolve().parents[4] / "client-vscode" / "node_modules" / "axe-core" / "axe.min.js"


async def findings(chat: Chat) -> list[dict[str, Any]]:
    """Each broken rule: its id, its impact, what is wrong, and where."""
    frame = await chat.inside()
    await frame.evaluate(AXE.read_text())
    found: list[dict[str, Any]] = await frame.evaluate(
        """async () => {
            // The page is transparent: its background is the side bar's, which axe cannot see.
            document.documentElement.style.background = "var(--vscode-sideBar-background)";
            const { violations } = await axe.run(document, { resultTypes: ["violations"], iframes: false });
            return violations.map(({ id, impact, help, nodes }) => ({
                id, impact, help,
                where: nodes.map(({ html, failureSummary }) => `${html.slice(0, 200)} ${failureSummary}`),
            }));
        }"""
    )
    return found
