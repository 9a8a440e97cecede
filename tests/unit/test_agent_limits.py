"""Limits, odd replies, large texts, and commands that change files."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from kaaj_agent import events as ev
from kaaj_agent import hunks
from kaaj_agent.journal import DiskApplier
from kaaj_agent.ports import Reply, Usage
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedEndpoint, answer_error, call
from kaaj_agent.testing_desk import (
    CART,
    FIX_TOTAL,
    PLAN,
    SECONDS,
    Gate,
    assert_legal,
    assert_whole,
    desk,
    endings,
)
from kaaj_agent.world import Folders

# --- limits and odd replies ---------------------------------------------------------------------------------------


async def test_the_prompt_is_legal_after_a_limit_and_odd_replies(tmp_path: Path) -> None:
    cut = Reply("", (FIX_TOTAL,), Usage(), "length")
    async with desk(tmp_path, "", cut, PLAN, "Two.", max_steps=3) as d:
        await d.run()
        assert "3 steps" in d.ending().summary
        d.agent.settings = AgentSettings(check="none")
        await d.run("Go on", session=d.session().id)
        assert_legal(d.heard())


async def test_a_call_that_reached_a_limit_keeps_its_own_result(tmp_path: Path) -> None:
    async with desk(tmp_path, *[call("read", path="nope.py") for _ in range(9)]) as d:
        await d.run()
        answers = [m.content for m in d.session().messages if m.role == "tool"]
        assert all("does not exist" in answer for answer in answers)


async def test_a_reply_without_end_meets_the_limit_of_seconds(tmp_path: Path) -> None:
    async with desk(tmp_path, Gate("never"), max_seconds=0.2) as d:
        async with asyncio.timeout(SECONDS):
            await d.run()
        assert d.ending().status == "stopped"
        assert "maxSeconds" in d.ending().summary


@pytest.mark.parametrize(
    "bad",
    [
        call("todo", items=7),
        call("todo", items=[{"title": None, "status": {"a": 1}}]),
        call("todo", items=[]),
        call("read", path="cart.py", start=-3, end=-1),
        call("read", path="cart.py", start=10**30),
        call("read", path="\ud800"),
        call("read", path="x" * 5000),
        call("read", path="a\0b"),
        call("edit", path="cart.py", old="", new=""),
        call("edit", path=".", old="a", new="b"),
        call("write", path="cart.py/x.py", content="a\n"),
        call("write", path="new.py", content="a = '\ud800'\n"),
        call("write", path=".", content="a"),
        call("search", pattern="("),
        call("search", pattern="", path="nope"),
        call("search", pattern="x" * 2000),
        call("list", path="nope"),
        call("list", path="cart.py"),
        call("run", command="a\0b"),
        call("run", command="\n"),
        call("run", command="echo " + "x" * 300_000),
        call("run", command="echo '\ud800'"),
        call("diagnostics", path="/etc/passwd"),
        call("\ud800", path="cart.py"),
    ],
    ids=lambda bad: f"{bad.name!a} {dict(bad.arguments)!a}"[:60],
)
async def test_no_call_ends_the_task(tmp_path: Path, bad: object) -> None:
    async with desk(tmp_path, bad, "Enough.") as d:
        task = await d.run()
        found = d.session().changes
        if found:
            await d.agent.reject(d.change().id, d.change().digest)
        assert endings(d)[0][1] in ("done", "stopped")
        assert endings(d)[0][0] == task
        assert "inside" not in d.ending().summary
        for message in d.session().messages:
            (
                message.content
                + "".join(f"{c.name}{json.dumps(c.arguments, ensure_ascii=False)}" for c in message.calls)
            ).encode()
        assert_whole(d)


# --- size, and commands that change files -------------------------------------------------------------------------


async def test_comparing_large_texts_does_not_hold_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where: list[str] = []
    plain = hunks.diff

    def diff(path: str, base: str, text: str) -> tuple[hunks.Hunk, ...]:
        if len(base) > 30_000:
            where.append(threading.current_thread().name)
        return plain(path, base, text)

    monkeypatch.setattr("kaaj_agent.hunks.diff", diff)
    text = "".join(f"value_{n} = {n}\n" for n in range(4000))
    async with desk(tmp_path, call("write", path="cart.py", content=text.replace("1", "2")), "Done.") as d:
        d.type(text)
        await d.run()
        d.type("import os\n" + text, 3)
        await d.agent.accept(d.change().id, d.change().digest)
        await d.agent.undo(d.change().id)
    assert len(where) > 2
    assert "MainThread" not in where


async def test_a_range_that_was_cut_is_not_said_to_have_been_read(tmp_path: Path) -> None:
    read = call("read", path="long.py")
    async with desk(tmp_path, read, read, "Done.") as d:
        (d.root / "long.py").write_text("x = 1\n" * 1000)
        await d.run()
        again = [m.content for m in d.heard() if m.role == "tool"][1]
        assert "lines 1-400 are unchanged" in again
        assert "start=401" in again


async def test_a_part_of_what_stands_above_is_not_shown_again(tmp_path: Path) -> None:
    whole, part, few = [call("read", path="long.py", start=a, end=b) for a, b in ((1, 300), (100, 200), (100, 110))]
    edit = call("edit", path="long.py", old="x250 = 1", new="x250 = 2")
    async with desk(tmp_path, whole, part, few, edit, part, "Done.") as d:
        (d.root / "long.py").write_text("".join(f"x{at} = 1\n" for at in range(1000)))
        await d.run()
        answers = [m.content for m in d.heard() if m.role == "tool"]
        assert answers[1] == "long.py lines 100-200 are unchanged since you read them above, among lines 1-300."
        assert "110\tx109 = 1" in answers[2]
        assert "200\tx199 = 1" in answers[4]  # the file has changed since


async def test_reading_calls_run_side_by_side_and_answer_in_order(tmp_path: Path) -> None:
    names = [f"f{at}.py" for at in range(6)]
    calls = [call("read", path=name) for name in names]
    async with desk(tmp_path, [*calls, FIX_TOTAL, call("read", path="cart.py")], "Done.") as d:
        for name in names:
            (d.root / name).write_text(f"# {name}\n")
        await d.run()
        answers = [m.content for m in d.heard() if m.role == "tool"]
        assert [f"# {name}" in answer for name, answer in zip(names, answers, strict=False)] == [True] * 6
        assert "return sum(items)\n" in answers[-1]
        kinds = [type(e.body).__name__ for e in d.events if isinstance(e.body, ev.ToolStarted | ev.ToolFinished)]
        assert kinds[:2] == ["ToolStarted", "ToolStarted"]
        assert_whole(d)
        assert_legal(d.session().messages)


async def test_the_same_call_counts_as_repeated_only_on_the_same_state(tmp_path: Path) -> None:
    there = call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)")
    back = call("edit", path="cart.py", old="return sum(items)\n", new="return sum(items) - 1\n")
    look = call("search", pattern="return")
    async with desk(tmp_path, *[one for _ in range(9) for one in (there, look, back)]) as d:
        await d.run()
        told = [e.body.text for e in d.events if isinstance(e.body, ev.Noticed)]
        assert told == ["Stopped: the model made the same `edit` call 6 times."]


async def test_failures_in_a_row_are_told_and_end_the_task(tmp_path: Path) -> None:
    async with desk(tmp_path, *[call("read", path=f"nope{at}.py") for at in range(20)]) as d:
        await d.run()
        answers = [m.content for m in d.session().messages if m.role == "tool"]
        assert "your last 3 replies failed" in answers[2]
        assert "failed. Look" not in answers[1]
        assert len(answers) == 8
        assert "nothing came of 8 replies" in d.ending().summary


async def test_many_failures_of_one_reply_leave_the_model_a_try(tmp_path: Path) -> None:
    calls = [call("read", path=f"nope{at}.py") for at in range(20)]
    async with desk(tmp_path, calls, FIX_TOTAL, "Mended.") as d:
        await d.run()
        assert d.change().files


async def test_a_failure_that_the_model_leaves_is_told_once(tmp_path: Path) -> None:
    async with desk(
        tmp_path, FIX_TOTAL, "Mended.", "It has nothing to do with it.", check="exit 1", sandbox="off"
    ) as d:
        await d.run()
        assert len(d.model.requests) == 3
        told = [e.body.text for e in d.events if isinstance(e.body, ev.Noticed)]
        assert any("nothing more was changed" in text for text in told)
        assert d.change().files


async def test_a_line_that_is_cut_says_so(tmp_path: Path) -> None:
    async with desk(tmp_path, call("read", path="min.js"), "Done.") as d:
        (d.root / "min.js").write_text("x" * 50_000)
        await d.run()
        assert "line 1 is cut" in d.heard()[-1].content


async def test_what_a_command_does_is_staged_file_by_file(tmp_path: Path) -> None:
    command = "mv cart.py shop.py; rm old.py; echo 'a = 1' > new.py; echo 'b = 1' > blob.py"
    async with desk(tmp_path, call("run", command=command), "Done.", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        d.agent.reviews.applier = DiskApplier(d.world, tmp_path / "state")
        (d.root / "old.py").write_text("old = 1\n")
        (d.root / "blob.py").write_bytes(b"\0\1\2")
        await d.run()
        kinds = {file.path.name: (file.kind, file.target.name) for file in d.change().files}
        assert kinds == {
            "cart.py": ("rename", "shop.py"),
            "old.py": ("delete", "old.py"),
            "new.py": ("create", "new.py"),
        }
        assert any(isinstance(e.body, ev.Noticed) and "blob.py" in e.body.text for e in d.events)
        await d.agent.accept(d.change().id, d.change().digest)
        await d.agent.undo(d.change().id)
        assert {path.name for path in d.root.iterdir()} == {"cart.py", "old.py", "blob.py"}
        assert d.cart.read_text() == CART


async def test_what_no_change_can_carry_is_told_to_the_model_and_to_the_person(tmp_path: Path) -> None:
    command = "for n in 1 2 3 4 5 6 7; do echo $n > $n.sh; chmod +x $n.sh; done"
    async with desk(tmp_path, call("run", command=command), "Done.", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        await d.run()
        told = "Left out of what a command did, as a change holds nothing but texts: 1.sh (made executable), "
        assert told in d.heard()[-1].content
        [notice] = [e.body.text for e in d.events if isinstance(e.body, ev.Noticed) and told in e.body.text]
        assert notice.endswith("5.sh (made executable), and 2 more.")
        assert len(d.change().files) == 7


@pytest.mark.parametrize(
    ("done", "kind", "applied"),
    [
        ("rm -r lib; echo x > lib", "delete", False),
        ("rm -r lib; ln -s cart.py lib", "delete", False),
        ("mv lib src; ln -s src lib", "rename", False),
        ("rm -r lib", "delete", True),
    ],
)
async def test_a_folder_that_a_command_turned_into_a_file_waits_for_the_person(
    tmp_path: Path, done: str, kind: str, *, applied: bool
) -> None:
    turns = (call("run", command=done), "Done.", FIX_TOTAL, "Done.")
    async with desk(tmp_path, *turns, mode="auto", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        (d.root / "lib").mkdir()
        (d.root / "lib/a.py").write_text("a = 1\n")
        await d.run(mode="auto")
        assert [file.kind for file in d.change().files] == [kind]
        assert bool(d.applier.applied) is applied
        assert ("lib (no longer a folder)" in d.heard()[-1].content) is not applied
        await d.run("Go on", session=d.session().id, mode="auto")
        assert bool(d.applier.applied) is applied, "a task that goes on from it does not apply it either"


@pytest.mark.parametrize(
    "data",
    [b"\xef\xbb\xbfa = 1\r\nb = 1\r\n", "a = 'ä'\nb = 1".encode("latin-1"), "a = 1\nb = 1\n".encode("utf-16")],
    ids=["bom and crlf", "latin-1", "utf-16"],
)
async def test_bytes_that_no_edit_touches_stay_through_accept_and_undo(tmp_path: Path, data: bytes) -> None:
    fix = call("edit", path="old.py", old="b = 1", new="b = 2")
    async with desk(tmp_path, fix, "Done.") as d:
        d.agent.reviews.applier = DiskApplier(d.world, tmp_path / "state")
        (d.root / "old.py").write_bytes(data)
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        style = "utf-16" if data[:1] == b"\xff" else "latin-1"
        now = (d.root / "old.py").read_bytes()
        assert now.decode(style) == data.decode(style).replace("b = 1", "b = 2")
        await d.agent.undo(d.change().id)
        assert (d.root / "old.py").read_bytes() == data


async def test_a_deletion_is_undone_in_its_encoding(tmp_path: Path) -> None:
    async with desk(tmp_path, call("run", command="rm old.py"), "Done.", sandbox="off") as d:
        d.answers.answers = ["Run it"]
        d.agent.reviews.applier = DiskApplier(d.world, tmp_path / "state")
        (d.root / "old.py").write_bytes("a = 'ä'\r\n".encode("latin-1"))
        await d.run()
        await d.agent.accept(d.change().id, d.change().digest)
        assert not (d.root / "old.py").exists()
        await d.agent.undo(d.change().id)
        assert (d.root / "old.py").read_bytes() == "a = 'ä'\r\n".encode("latin-1")


async def test_the_key_stands_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = "kaaj-very-secret-key"
    error = answer_error(401, f"Incorrect API key provided: {key}")
    async with ScriptedEndpoint(error, last=error) as endpoint, desk(tmp_path, base_urls=(), api_key=key) as d:
        d.agent.model = None
        d.agent.settings = AgentSettings(base_urls=(endpoint.base_url,), api_key=key, model="scripted", check="none")
        with caplog.at_level("DEBUG"):
            await d.run()
        assert d.ending().status == "failed"
        told = repr(d.events) + caplog.text + d.session().log.path.read_text()
        assert key not in told


async def test_files_of_two_folders_are_edited_in_one_change(tmp_path: Path) -> None:
    other = tmp_path / "lib"
    other.mkdir()
    (other / "cart.py").write_text("a = 1\n")
    edits = [call("edit", path="lib/cart.py", old="a = 1", new="a = 2"), FIX_TOTAL]
    async with desk(tmp_path, edits, "Done.") as d:
        d.world.folders = Folders.of(d.root, other)
        await d.run(check="grep 2 ../lib/cart.py || true")
        assert {file.path for file in d.change().files} == {d.cart, other / "cart.py"}
        await d.agent.accept(d.change().id, d.change().digest)
        assert d.text() == CART.replace("sum(items) - 1", "sum(items)")
