"""What a person does with a stock LSP client, in each real editor: ask, look on, decide, take back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final, TypeAlias

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls, answer_error
from rig.plain_editor import RealEditor

Json: TypeAlias = Any
ADD: Final = ("edit", {"path": "cart.py", "old": "result = price\n", "new": "result += price\n"})
COUNT: Final = ("edit", {"path": "cart.py", "old": "len(prices) + 1", "new": "len(prices)"})
DONE: Final = answer("Prices are added up now.")
UNSAVED: Final = '# naïve 😀: "unsaved"\n'


def mended(text: str, *edits: tuple[str, dict[str, str]]) -> str:
    for _, edit in edits:
        assert text.count(edit["old"]) == 1
        text = text.replace(edit["old"], edit["new"])
    return text


def plan(first: str, second: str) -> tuple[str, Json]:
    titles = {"Add the prices up": first, "Count right": second}
    return ("todo", {"items": [{"title": title, "status": status} for title, status in titles.items()]})


def asked(endpoint: ScriptedEndpoint, number: int = 0) -> str:
    """All that the model was told with one request."""
    return "\n".join(str(message["content"]) for message in endpoint.prompts[number]["messages"])


async def test_a_line_is_mended_and_the_mend_taken_back(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(("read", {"path": "cart.py"})), answer_calls(ADD), DONE)
    cart = editor.workspace / "cart.py"
    on_disk = cart.read_text()
    await editor.open(cart)
    await editor.tell("type", str(cart), 1, UNSAVED)
    before = await editor.text(cart)
    assert before == UNSAVED + on_disk
    assert (await editor.actions(cart, 5))[0] == "Kaaj: fix what is wrong here"
    await editor.choose("Kaaj: fix what is wrong here")
    assert (await editor.menu())[:2] == ["Apply 1 hunk in 1 file", "Reject"]
    assert "Prices are added up now." in await editor.prompt()
    assert await editor.text(cart) == before, "nothing moves before the answer"
    await editor.choose("Apply 1 hunk in 1 file")
    await editor.shows(cart, mended(before, ADD))
    assert cart.read_text() == on_disk, "to save is the person's"
    assert "unsaved" in asked(endpoint, 1), "the model sees what is not saved"
    assert "lines 5-5" in asked(endpoint)
    await editor.act("Kaaj: undo", cart, 1)
    await editor.shows(cart, before)
    await editor.tell("save", str(cart))
    assert cart.read_text() == before


async def test_the_editors_own_undo_takes_a_change_back(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(ADD, COUNT), DONE)
    cart = editor.workspace / "cart.py"
    before = cart.read_text()
    await editor.open(cart)
    await editor.act("Kaaj: fix what is wrong here", cart, 4)
    await editor.choose("Apply 2 hunks in 1 file")
    await editor.shows(cart, mended(before, ADD, COUNT))
    await editor.offers("Kaaj: undo", cart, 1)
    await editor.tell("undo", str(cart))
    await editor.shows(cart, before)
    assert "Kaaj: undo" not in await editor.actions(cart, 4), "there is nothing left to take back"


async def test_a_selection_is_explained_and_its_problem_refused(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer("It keeps the last price."), answer_calls(ADD), DONE)
    cart = editor.workspace / "cart.py"
    before = cart.read_text()
    await editor.open(cart)
    titles = await editor.actions(cart, 3, 4)
    assert [title.partition("…")[0] for title in titles[:4]] == [
        "Kaaj: fix what is wrong here",
        "Kaaj: edit",
        "Kaaj: explain",
        "Kaaj: write tests",
    ]
    await editor.choose("Kaaj: explain")
    await editor.said("It keeps the last price.")
    assert "lines 3-4" in asked(endpoint)
    await editor.act("Kaaj: fix what is wrong here", cart, 3, 4)
    await editor.choose("Reject")

    async def refused() -> bool:
        titles = await editor.actions(cart, 4)
        await editor.tell("dismiss")
        return not any("reject" in title or "cancel" in title for title in titles)

    await editor.until("the change is refused", refused)
    assert await editor.text(cart) == before


async def test_a_comment_is_done_and_taken_out(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    wish = "    # kaaj: use sum()\n"
    body = "    result = 0\n    for price in prices:\n        result = price\n    return result\n"
    tidy = ("edit", {"path": "cart.py", "old": wish + body, "new": "    return sum(prices)\n"})
    endpoint.add(answer_calls(tidy), DONE)
    cart = editor.workspace / "cart.py"
    await editor.open(cart)
    await editor.tell("type", str(cart), 2, wish)
    before = await editor.text(cart)
    assert (await editor.actions(cart, 2))[0] == "Kaaj: do “use sum()”"
    await editor.choose("Kaaj: do “use sum()”")
    await editor.choose("Apply 1 hunk in 1 file")
    await editor.shows(cart, mended(before, tidy))
    assert "use sum()" in asked(endpoint)


async def test_from_the_chat_by_way_of_the_plan_to_one_hunk_and_not_the_other(
    editor: RealEditor, endpoint: ScriptedEndpoint
) -> None:
    go_on = asyncio.Event()

    async def later(_: Json) -> Answer:
        await go_on.wait()
        return answer_calls(plan("done", "running"), COUNT)

    endpoint.add(answer_calls(plan("running", "pending")), answer_calls(ADD), later, answer_calls(plan("done", "done")))
    endpoint.add(DONE)
    cart = editor.workspace / "cart.py"
    on_disk = cart.read_text()
    await editor.open(cart)
    await editor.tell("type", str(cart), 1, UNSAVED)
    before = await editor.text(cart)

    await editor.act("Kaaj: open the chat", cart, 1)
    chat = await editor.open_chat()
    await editor.write_chat(chat, "Mend the cart, please.\n")
    await editor.send_chat(chat, cart, "Mend the cart, please.")
    await editor.paper_has("plan.md", "# Plan: Mend the cart, please.", "- [>] Add the prices up", "- [ ] Count right")
    assert await editor.tell("focus") in (str(chat), str(cart)), "the plan does not take the cursor"
    go_on.set()
    await editor.paper_has("plan.md", "2 of 2 done", "- [x] Add the prices up")
    assert "Prices are added up now." in await editor.prompt()
    await editor.tell("dismiss")

    await editor.act("Kaaj: apply this hunk", cart, 5)
    await editor.shows(cart, mended(before, ADD))
    assert await editor.tell("menu") is None, "who decides hunk by hunk is not asked about the rest"
    await editor.act("Kaaj: reject the change", cart, 14)
    await editor.paper_has("plan.md", "- [x] Add the prices up", "- [ ] Count right")
    assert await editor.text(cart) == mended(before, ADD)
    assert cart.read_text() == on_disk
    await editor.paper_has("chat.md", "## You\n\nMend the cart, please.", "Prices are added up now.")
    await editor.act("Kaaj: undo", cart, 5)
    await editor.shows(cart, before)


async def test_progress_is_seen_and_work_is_cancelled(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(plan("running", "pending")), replace(answer("one two", chunk=3), hang_after=1))
    cart = editor.workspace / "cart.py"
    await editor.open(cart)
    await editor.tell("type", str(cart), 1, "# TODO add up\n")
    await editor.act("Kaaj: do this comment", cart, 1)
    await editor.progressed("0/2 Add the prices up")
    await editor.act("Kaaj: cancel", cart, 1)
    await editor.progressed("Cancelled")
    assert endpoint.left == 1, "the endpoint is not kept busy"


async def test_hunk_by_hunk_in_the_diff(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_calls(ADD, COUNT), DONE)
    cart = editor.workspace / "cart.py"
    before = cart.read_text()
    await editor.open(cart)
    await editor.act("Kaaj: fix what is wrong here", cart, 4)
    if editor.name == "emacs":  # it shows no documents: the file itself is where one decides
        assert await editor.menu() == ["Apply 2 hunks in 1 file", "Reject"]
        await editor.tell("dismiss")
        await editor.act("Kaaj: reject this hunk", cart, 4)
        await editor.act("Kaaj: apply the change (1 hunk in 1 file)", cart, 1)
    else:
        await editor.choose("Show diff")
        diff = await editor.paper("change.diff")
        await editor.focused(diff)
        rows = (await editor.contains(diff, "+        result += price")).split("\n")
        first, second = (number for number, row in enumerate(rows, 1) if row.startswith("@@"))
        await editor.lens("Kaaj: reject this hunk", diff, first)
        await editor.act("Kaaj: apply 1 hunk in 1 file", diff, second - 2)
    await editor.shows(cart, mended(before, COUNT))
    await editor.offers("Kaaj: undo", cart, 1)
    await editor.tell("undo", str(cart))
    await editor.shows(cart, before)


async def test_an_item_is_skipped_in_the_plan(either_neovim: RealEditor, endpoint: ScriptedEndpoint) -> None:
    go_on = asyncio.Event()

    async def later(_: Json) -> Answer:
        await go_on.wait()
        return DONE

    endpoint.add(answer_calls(plan("running", "pending")), later)
    neovim = either_neovim
    cart = neovim.workspace / "cart.py"
    await neovim.open(cart)
    await neovim.act("Kaaj: fix what is wrong here", cart, 4)
    path = await neovim.paper("plan.md")
    await neovim.contains(path, "- [ ] Count right")
    assert await neovim.tell("focus") == str(cart)
    assert str(path) in await neovim.tell("shown")
    await neovim.lens("Kaaj: skip", path, 6)
    await neovim.contains(path, "- [-] Count right")
    go_on.set()
    await neovim.said("Prices are added up now.")


async def test_the_editors_own_cancel_of_progress(either_neovim: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(replace(answer("one two", chunk=3), hang_after=1))
    neovim = either_neovim
    cart = neovim.workspace / "cart.py"
    await neovim.open(cart)
    await neovim.act("Kaaj: fix what is wrong here", cart, 4)
    await neovim.progressed("begin")
    await neovim.tell("cancel_progress")
    await neovim.progressed("end | ")
    await neovim.progressed("Cancelled")


async def test_an_endpoint_that_is_gone_is_told(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    endpoint.add(answer_error(401, "no key"))
    cart = editor.workspace / "cart.py"
    await editor.open(cart)
    await editor.act("Kaaj: fix what is wrong here", cart, 4)
    await editor.said("wants a key and none is set (401). Set KAAJ_API_KEY")


async def test_a_new_file_comes_up_in_the_editor(editor: RealEditor, endpoint: ScriptedEndpoint) -> None:
    tests = "def test_total():\n    assert True\n"
    endpoint.add(answer_calls(("write", {"path": "test_cart.py", "content": tests})), answer("Here is a test."))
    cart = editor.workspace / "cart.py"
    await editor.open(cart)
    await editor.act("Kaaj: write tests", cart, 1, 5)
    assert "Here is a test." in await editor.prompt()
    await editor.choose("Apply 1 hunk in 1 file")
    if editor.name == "emacs":  # it cannot create files for a server, and asks before it opens a buffer for one
        assert "test_cart.py" in await editor.prompt()
        await editor.choose("yes")
    new = editor.workspace / "test_cart.py"
    await editor.shows(new, tests)
    await editor.offers("Kaaj: undo", new, 1)
    assert not new.exists() or new.read_text() == "", "to save is the person's"
