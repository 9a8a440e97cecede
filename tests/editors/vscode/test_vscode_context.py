"""What goes along with a prompt: mentioned with an @, pasted, dropped. The model gets it."""

from __future__ import annotations

from playwright.async_api import Locator, expect

from kaaj_agent.testing import answer
from rig.polling import until
from rig.studio import Studio
from rig.workbench import Workbench

HAND_OVER = """(field, [kind, name, text]) => {
    const data = new DataTransfer();
    data.setData(name, text);
    const about = { bubbles: true, cancelable: true };
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { ...about, clipboardData: data })
        : new DragEvent("drop", { ...about, dataTransfer: data });
    field.dispatchEvent(event);
}"""


FILES = """(field, [kind, files]) => {
    const data = new DataTransfer();
    for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
    const about = { bubbles: true, cancelable: true };
    const event = kind === "paste"
        ? new ClipboardEvent("paste", { ...about, clipboardData: data })
        : new DragEvent("drop", { ...about, dataTransfer: data });
    field.dispatchEvent(event);
}"""


async def mention(window: Workbench, query: str, label: str) -> None:
    """Type an @ with some letters, wait for the row, and take it by keys."""
    field = window.chat.field
    row = window.chat.frame.get_by_role("option").filter(has_text=label).first

    async def offered() -> bool:
        await field.press("End")
        await field.press_sequentially(f" @{query}")
        try:
            await expect(row).to_be_visible(timeout=3000)
        except AssertionError:  # a language server that starts yet: the question is asked again
            for _ in f" @{query}":
                await field.press("Backspace")
            return False
        return True

    await until(f"@{query} offers {label}", offered)
    while await row.get_attribute("aria-selected") != "true":
        await field.press("ArrowDown")
    await field.press("Enter")
    await expect(row).to_have_count(0)


def chips(window: Workbench) -> Locator:
    return window.chat.frame.get_by_role("list", name="Goes along").get_by_role("listitem")


async def test_context(studio: Studio) -> None:
    (studio.folder / "lib").mkdir()
    (studio.folder / "lib" / "money.ts").write_text("export function exchange(sum: number) {\n  return sum * 2;\n}\n")
    studio.endpoint.add(answer("Seen."))
    window = await studio.window()
    await window.open_file("money.ts")
    await window.open_file("shop.json")
    await expect(window.page.locator(".squiggly-error")).to_be_visible()
    await window.go_to_line(1)
    await window.page.keyboard.press("Shift+ArrowDown")
    await window.show_kaaj()
    await window.chat.field.fill("look at this:")
    await mention(window, "notes", "notes.txt")
    await mention(window, "lib", "lib/")
    await mention(window, "exchan", "exchange")
    await mention(window, "sel", "selection")
    await mention(window, "prob", "problems")
    pasted = "\n".join(f"pasted line {number}" for number in range(40))
    await window.chat.field.evaluate(HAND_OVER, ["paste", "text/plain", pasted])
    cart = f"vscode-remote://{window.server.address}{studio.folder}/cart.py"  # as a remote window names its files
    await window.chat.field.evaluate(HAND_OVER, ["drop", "text/uri-list", cart])
    await expect(chips(window)).to_have_text(
        [
            "notes.txt",
            "lib/",
            "exchange()",
            "shop.json:1",
            "Problems in shop.json",
            "pasted line 0 (40 lines)",
            "cart.py",
        ]
    )
    await window.shot("chips")
    # One is taken out again, by keys.
    await window.chat.field.press("Control+Home")
    await window.chat.field.press("Backspace")
    await window.page.keyboard.press("Delete")
    await expect(chips(window)).to_have_count(6)
    await window.chat.field.evaluate(HAND_OVER, ["drop", "text/uri-list", cart])
    await expect(chips(window)).to_have_count(7)

    await window.chat.field.press("Enter")
    await expect(window.chat.newest).to_contain_text("Seen.")
    await expect(chips(window)).to_have_count(0)
    await expect(window.chat.newest.get_by_role("listitem")).to_contain_text(["notes.txt", "lib/"])
    told = str(studio.endpoint.prompts[0]["messages"][-1]["content"])
    for piece in (
        "naïve 😀 line",
        "money.ts",
        "return sum * 2",
        "Expected comma",
        "pasted line 39",
        "def total(prices)",
    ):
        assert piece in told, (piece, told)
    await window.shot("sent")


async def test_files(studio: Studio) -> None:
    """Files of the desktop, pasted and dropped: their text goes along; what is no text is refused with a word."""
    elsewhere = studio.home / "elsewhere.txt"
    elsewhere.write_text("from another folder\n")
    studio.endpoint.add(answer("Read."))
    window = await studio.window()
    await window.show_kaaj()
    field = window.chat.field
    await field.fill("read these")
    await field.evaluate(FILES, ["paste", [["pasted.txt", list(b"it was pasted")]]])
    await field.evaluate(FILES, ["drop", [["dropped.txt", list(b"it was dropped")], ["picture.png", [137, 80, 0, 1]]]])
    await expect(window.chat.frame.get_by_role("alert")).to_contain_text("picture.png is not a text file")
    await field.evaluate(HAND_OVER, ["drop", "text/uri-list", elsewhere.as_uri()])
    await expect(chips(window)).to_have_text(["pasted.txt", "dropped.txt", "elsewhere.txt"])
    await window.shot("chips")
    await field.press("Enter")
    await expect(window.chat.newest).to_contain_text("Read.")
    told = str(studio.endpoint.prompts[0]["messages"][-1]["content"])
    for piece in ("it was pasted", "it was dropped", "from another folder"):
        assert piece in told, (piece, told)


async def test_at_alone(studio: Studio) -> None:
    """With no letter typed yet: what is at hand first, then what is near."""
    (studio.folder / "lib" / "deep").mkdir(parents=True)
    (studio.folder / "lib" / "deep" / "well.ts").write_text("export {};\n")
    window = await studio.window()
    await window.open_file("shop.json")
    await expect(window.page.locator(".squiggly-error")).to_be_visible()
    await window.show_kaaj()
    await window.chat.button("Add context").click()
    rows = window.chat.frame.get_by_role("option")
    await expect(rows).to_have_text(
        ["problems1 in shop.json", "shop.json", "cart.py", "notes.txt", "lib/", "deep/lib", "well.tslib/deep"]
    )
    await window.shot("offered")
