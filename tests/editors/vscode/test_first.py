"""The first journey: a task, its change, accepted and undone."""

from __future__ import annotations

from kaaj_agent.testing import answer, answer_calls
from rig.polling import until
from rig.studio import Studio

SUM = {"path": "cart.py", "old": "result = price\n", "new": "result += price\n"}


async def test_first(studio: Studio) -> None:
    studio.endpoint.add(
        answer_calls(("todo", {"items": [{"title": "Sum", "status": "running"}]}), ("read", {"path": "cart.py"})),
        answer_calls(("edit", SUM)),
        answer("The prices are summed."),
    )
    window = await studio.window()
    await window.open_file("cart.py")
    await window.command("Kaaj: New task…")
    await window.type_into_quick_input("sum them")
    await window.show_kaaj()
    await window.row("Tasks", "proposed").wait_for()
    await window.shot("proposed")
    await window.command("Kaaj: Accept change")
    await window.page.get_by_text("result += price").first.wait_for()
    await window.save()
    cart = studio.folder / "cart.py"
    await until("the file is changed", lambda: "result += price" in cart.read_text())
    await window.shot("accepted")
    await window.command("Kaaj: Undo")
    await window.page.get_by_text("result = price").first.wait_for()
