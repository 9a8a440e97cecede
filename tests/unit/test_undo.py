"""Taking back at any later time: a whole change or one file, around later edits or merged with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent.archive import Archive
from kaaj_agent.changes import Applied, Proposed, Rejected, Undone
from kaaj_agent.disk import read
from kaaj_agent.document import Document
from kaaj_agent.failures import BadRequestError, StaleError
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import CART, FIX_COUNT, FIX_TOTAL, Desk, desk

FIXED = CART.replace("sum(items) - 1", "sum(items)")
LATER = CART.replace("sum(items) - 1", "sum(items) or 0")
NEW = call("write", path="new.py", content="x = 1\n")


def kept(d: Desk, tmp_path: Path) -> list[str]:
    """What the history holds, by its stages."""
    return sorted(path.suffix[1:] for path in (tmp_path / "state" / "history").rglob("*") if path.is_file())


async def applied(d: Desk) -> str:
    await d.run()
    return (await d.agent.accept(d.change().id, d.change().digest)).id


async def test_one_file_is_taken_back_and_the_rest_stands(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, NEW], "Both.", "Well.") as d:
        change = await applied(d)
        new = d.root / "new.py"
        gone = await d.agent.undo(change, new)
        assert isinstance(gone.state, Undone)
        assert [file.path for file in gone.files] == [new]
        assert d.world.buffer(new) is None
        assert d.text() == FIXED
        left = d.session().changes[change]
        assert isinstance(left.state, Applied)
        assert list(left.state.after) == [d.cart]
        await d.run("And?", session=d.session().id)
        assert "took back what your last applied change did to new.py" in d.heard()[-1].content
        with pytest.raises(BadRequestError, match=r"new\.py is not a part"):
            await d.agent.undo(change, new)
        undone = await d.agent.undo(change, d.cart)
        assert undone.id == change
        assert isinstance(undone.state, Undone)
        assert d.text() == CART


async def test_one_file_can_be_taken_back_where_another_was_edited(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, NEW], "Both.") as d:
        change = await applied(d)
        d.type(LATER, 3)
        with pytest.raises(StaleError) as told:
            await d.agent.undo(change)
        assert told.value.paths == ("cart.py",)
        assert "merge" in told.value.hint
        assert d.world.buffer(d.root / "new.py") is not None, "nothing was undone"
        await d.agent.undo(change, d.root / "new.py")
        assert d.text() == LATER


async def test_a_merge_is_proposed_where_later_edits_stand_in_the_way(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, FIX_COUNT], "Both.") as d:
        change = await applied(d)
        later = d.text().replace("return sum(items)", "return sum(items) or 0")
        d.type(later, 3)
        with pytest.raises(StaleError):
            await d.agent.undo(change)
        assert d.text() == later
        proposal = await d.agent.undo(change, merge=True)
        assert isinstance(proposal.state, Proposed)
        assert not proposal.state.check.parsed
        assert d.text() == later, "it is only proposed"
        assert proposal.files[0].after == CART.replace(
            "    return sum(items) - 1\n",
            "<<<<<<< as it is now\n    return sum(items) or 0\n=======\n    return sum(items) - 1\n"
            ">>>>>>> before the change\n",
        )
        assert "1 place" in [e.body.text for e in d.events if isinstance(e.body, ev.Noticed)][-1]
        again = await d.agent.undo(change, merge=True)
        assert isinstance(d.session().changes[proposal.id].state, Rejected), "there is one merge at a time"
        await d.agent.accept(again.id, again.digest)
        assert isinstance(d.session().changes[change].state, Undone)
        assert d.text() == again.files[0].after


async def test_a_refused_merge_leaves_the_change_applied(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        change = await applied(d)
        d.type(LATER, 3)
        proposal = await d.agent.undo(change, merge=True)
        await d.agent.reject(proposal.id, proposal.digest)
        assert isinstance(d.session().changes[change].state, Applied)
        assert d.text() == LATER


async def test_a_merge_keeps_what_was_made_and_edited_since(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, NEW], "Both.") as d:
        change = await applied(d)
        d.world.put(Document(d.root / "new.py", "x = 2\n", 5))
        proposal = await d.agent.undo(change, merge=True)
        assert [file.path for file in proposal.files] == [d.cart]
        assert "Left alone: new.py was made" in [e.body.text for e in d.events if isinstance(e.body, ev.Noticed)][-1]
        await d.agent.accept(proposal.id, proposal.digest)
        assert d.text() == CART
        assert isinstance(d.session().changes[change].state, Applied), "new.py is still as the change made it"
        with pytest.raises(BadRequestError, match=r"new\.py was made by the change"):
            await d.agent.undo(change, merge=True)


async def test_undo_after_a_restart(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, NEW], "Both.") as d:
        change = await applied(d)
        text = d.text()
    (tmp_path / "shop/cart.py").write_text(text)
    (tmp_path / "shop/new.py").write_text("x = 1\n")
    async with desk(tmp_path) as d:
        await d.agent.undo(change, d.root / "new.py")
        await d.agent.undo(change)
        assert d.text() == CART
    assert kept(d, tmp_path).count("begun") == 0


def none(_archive: object, _folders: object) -> list[object]:
    return []


@pytest.mark.parametrize("log", ["whole", "gone"])
async def test_undo_of_a_session_that_is_not_brought_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: str
) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        change = await applied(d)
    (tmp_path / "shop/cart.py").write_text(FIXED)
    if log == "gone":
        for path in (tmp_path / "state/sessions").iterdir():
            path.unlink()
    async with desk(tmp_path) as d:
        monkeypatch.setattr(Archive, "_read", none)
        assert await d.agent.overview() == ()
        undone = await d.agent.undo(change)
        assert isinstance(undone.state, Undone)
        assert d.text() == CART
        assert [e.seq for e in d.session().events] == list(range(1, d.session().seq + 1))


async def test_what_is_forgotten_is_not_kept(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        change = await applied(d)
        assert kept(d, tmp_path) == ["applied"]
        await d.agent.forget(d.session().id)
        assert kept(d, tmp_path) == []
        with pytest.raises(BadRequestError, match="There is no change"):
            await d.agent.undo(change)


async def test_an_undo_that_was_done_in_part_is_gone_on_with(tmp_path: Path) -> None:
    async with desk(tmp_path, [FIX_TOTAL, NEW], "Both.") as d:
        change = await applied(d)
        d.type(CART, 3)  # of two files one is back already
        await d.agent.undo(change)
        assert d.world.buffer(d.root / "new.py") is None
        assert d.text() == CART


async def test_a_folder_that_is_not_open_is_left_alone(tmp_path: Path) -> None:
    async with desk(tmp_path, FIX_TOTAL, "One.") as d:
        change = await applied(d)
        (tmp_path / "other").mkdir()
        d.world.folders = type(d.world.folders).of(tmp_path / "other")
        with pytest.raises(BadRequestError, match="no open workspace folder"):
            await d.agent.undo(change)
        assert read(d.cart).text == CART
        assert d.text() == FIXED
