"""What the person hands along with a prompt, and the list that a task begins with, in the model's prompt."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.attachments import (
    AttachedFile,
    AttachedFolder,
    AttachedProblems,
    AttachedRange,
    AttachedText,
    Attachment,
)
from kaaj_agent.failures import BadRequestError
from kaaj_agent.ports import Diagnostic
from kaaj_agent.settings import Prices
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import CART, FIX_COUNT, FIX_TOTAL, Desk, assert_legal, desk
from kaaj_agent.testing_world import Problems
from kaaj_agent.todo import Todo

FOLDED = "def total(items):\n    return sum(items) - 2\n"

WHOLE = """\
The user handed this along:

cart.py lines 1-2:
1\tdef total(items):
2\t    return sum(items) - 2

cart.py lines 2-2 of 2 (`total`):
2\t    return sum(items) - 2

docs/
  guide.md
  more/
    deep.md

The editor's problems in cart.py:
cart.py:2:12: error: off by two [lint E1]

a log:
````
Traceback ```
  boom
````

Mend it

"""


async def told(d: Desk, *context: Attachment) -> str:
    await d.run(context=context)
    return d.heard()[1].content


async def test_all_kinds_stand_before_the_request_and_before_what_is_volatile(tmp_path: Path) -> None:
    async with desk(tmp_path, "Nothing to do.") as d:
        (d.root / "docs" / "more").mkdir(parents=True)
        (d.root / "docs" / "guide.md").write_text("x")
        (d.root / "docs" / "more" / "deep.md").write_text("x")
        d.type(FOLDED)  # the buffer, not the disk
        problem = Diagnostic(d.cart, 2, 12, "error", "off by two", "lint", "E1")
        d.agent.diagnoser = Problems((problem,))
        text = await told(
            d,
            AttachedFile(d.cart),
            AttachedRange(d.cart, (1, 2), "total"),
            AttachedFolder(d.root / "docs"),
            AttachedProblems(d.cart),
            AttachedText("a log", "Traceback ```\n  boom\n"),
        )
        before, _, tail = text.rpartition("[Date: ")
        assert before == WHOLE
        assert tail.endswith("]")


async def test_what_is_large_is_named_and_what_is_cut_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path, "Nothing.") as d:
        long = "".join(f"x{n} = {n}\n" for n in range(1, 1_001))
        d.type(long)
        text = await told(d, AttachedFile(d.cart), AttachedRange(d.cart, (9, 900)), AttachedText("paste", "y" * 90_000))
        assert "cart.py (1,000 lines; `read` what you need of it)" in text
        assert "cart.py lines 10-409 of 1000 (selected):\n10\tx10 = 10\n" in text
        assert "[cut at line 409 of 900; `read` the rest]" in text
        assert "more characters]" in text
        assert len(text) < 40_000


async def test_what_the_model_may_not_see_or_cannot_read_is_named_with_the_reason(tmp_path: Path) -> None:
    async with desk(tmp_path, "Nothing.") as d:
        (d.root / ".env").write_text("KEY=sesame\n")
        (d.root / "logo.png").write_bytes(b"\x89PNG\0\0\0")
        gone = d.root / "gone.py"
        text = await told(
            d,
            AttachedFile(d.root / ".env"),
            AttachedRange(d.root / ".env", (0, 1)),
            AttachedFile(d.root / "logo.png"),
            AttachedFile(gone),
            AttachedFolder(d.root / "nowhere"),
        )
        assert "sesame" not in text
        assert ".env is withheld (secret); the model does not see it." in text
        assert "gone.py does not exist" in text
        assert "nowhere does not exist" in text
        notices = [event.body.text for event in d.events if isinstance(event.body, ev.Noticed)]
        assert sum("withheld" in notice for notice in notices) == 2
        assert any("logo.png" in notice for notice in notices)


async def test_problems_of_hidden_files_are_not_told(tmp_path: Path) -> None:
    async with desk(tmp_path, "Nothing.") as d:
        hidden = Diagnostic(d.root / ".env", 1, 1, "error", "KEY=sesame is bad")
        d.agent.diagnoser = Problems((hidden, Diagnostic(d.cart, 1, 1, "warning", "seen")))
        text = await told(d, AttachedProblems())
        assert "sesame" not in text
        assert "cart.py:1:1: warning: seen" in text


async def test_the_prompt_only_grows_and_the_context_outlives_the_process(tmp_path: Path) -> None:
    context = (AttachedRange(Path("/nowhere"), (0, 2)), AttachedText("t", "é\n"), AttachedProblems())
    async with desk(tmp_path, "One.", "Two.") as d:
        await d.run(context=(AttachedFile(d.cart),))
        before = d.heard()
        d.type(CART + "\n")
        task = await d.run("Again", session=d.session().id, context=context)
        assert d.heard()[: len(before)] == before
        assert_legal(d.heard())
    async with desk(tmp_path) as d:
        (overview,) = await d.agent.overview()
        assert overview.tasks[-1].id == task
        assert overview.tasks[-1].context == context


async def test_a_given_list_is_told_and_the_model_cannot_drop_or_reorder_it(tmp_path: Path) -> None:
    rewritten = call(
        "todo", items=[{"title": "Mend count", "status": "pending"}, {"title": "Mend total", "status": "running"}]
    )
    todo = (
        Todo("t1", "Mend total", by="user"),
        Todo("t2", "Say hello", "skipped", "user"),
        Todo("t3", "Mend count", by="user"),
    )
    async with desk(tmp_path, rewritten, FIX_TOTAL, rewritten, "Total.", FIX_COUNT, "Both.") as d:
        task = await d.run("Do the plan", todo=todo)
        opening = d.heard(0)[1].content
        assert "Work through it in this order ([-] means: skip it):\n[>] Mend total\n[-] Say hello\n[ ] Mend count" in (
            opening
        )
        assert "edited the to-do list" not in opening
        assert "still open:\n- Mend count" in d.heard(4)[-1].content
        items = d.session().tasks[task].todo.items
        assert [(item.title, item.status) for item in items] == [
            ("Mend total", "done"),
            ("Say hello", "skipped"),
            ("Mend count", "done"),
        ]


async def test_the_list_of_the_newest_task_can_be_edited_after_its_end(tmp_path: Path) -> None:
    async with desk(tmp_path, "A plan.", "Another.") as d:
        first = await d.run("Plan it", mode="plan")
        d.agent.edit_todo(first, [Todo("u1", "Say hello", by="user")])
        assert [item.title for item in d.session().tasks[first].todo.items] == ["Say hello"]
        await d.run("And this", session=d.session().id, mode="plan")
        with pytest.raises(BadRequestError, match="another one came after it"):
            d.agent.edit_todo(first, [])


@pytest.mark.parametrize(
    ("embedded", "prices", "cost"), [(False, None, None), (True, None, 0.0), (False, Prices(1e6, 0.0, 2e6), True)]
)
async def test_what_a_task_costs(tmp_path: Path, *, embedded: bool, prices: Prices | None, cost: float | None) -> None:
    async with desk(tmp_path, "Nothing.", prices=prices) as d:
        profile = replace(await d.model.profile(), embedded=embedded)
        d.model._profile = profile
        task = await d.run()
        usage, told = d.session().tasks[task].usage, d.session().tasks[task].cost
        assert told == (usage.prompt + 2 * usage.completion if cost is True else cost)
