"""What is kept before a change is applied, by whomever: on disk first, capped, and looked at by the next start."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import disk
from kaaj_agent import events as ev
from kaaj_agent.agent import Agent
from kaaj_agent.changes import Applied, ChangeSet, CheckResult, FileChange, Proposed, Undone
from kaaj_agent.document import Document
from kaaj_agent.failures import ApplyError
from kaaj_agent.history import History, load
from kaaj_agent.journal import DiskApplier
from kaaj_agent.journaled import Journaled
from kaaj_agent.ports import Applier, Model, Written
from kaaj_agent.recovery import recover_all
from kaaj_agent.request import StartRequest
from kaaj_agent.settings import AgentSettings
from kaaj_agent.testing import ScriptedModel, call
from kaaj_agent.testing_world import Answers, BufferApplier, Problems
from kaaj_agent.undo import reverse
from kaaj_agent.world import Folders, World

CART = "def total(items):\n    return sum(items) - 1\n"
FIXED = CART.replace(" - 1", "")
TURNS = (
    [
        call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)"),
        call("write", path="new.py", content="x = 1\n"),
    ],
    "Mended.",
)


@asynccontextmanager
async def agent_in(state: Path, *roots: Path, turns: Any = (), applier: Any = DiskApplier) -> AsyncGenerator[Agent]:
    world = World(Folders.of(*roots))

    async def connect() -> Model:
        return ScriptedModel(*turns)

    made: Applier = applier(world, state)
    agent = Agent(world, AgentSettings(check="none"), Answers(), made, Problems(), state, connect)
    try:
        yield agent
    finally:
        await agent.close()


async def work(agent: Agent) -> ChangeSet:
    started = await agent.start(StartRequest("Mend it", "auto"))
    await agent.wait(started.task)
    (session,) = await agent.overview(started.session)
    return session.changes[-1]


def nothing(_task: str, _text: str) -> None:
    pass


def in_memory(world: World, _state: Path) -> Applier:
    return BufferApplier(world)


def stages(state: Path) -> list[str]:
    return [kept.stage for kept in History(state / "history").entries()]


def told(agent: Agent) -> str:
    sessions = agent._sessions.values()
    rows = [e.body.text for one in sessions for e in one.events if isinstance(e.body, ev.Noticed)]
    return "\n".join([*agent.untold, *rows])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = (tmp_path / "w").resolve()
    root.mkdir()
    (root / "cart.py").write_text(CART)
    return root


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def edit(path: Path, before: str, after: str, name: str = "change-a") -> ChangeSet:
    return ChangeSet(name, "task-a", (FileChange(path, Document(path, before), after).with_hunks(),))


# --- before an apply --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("under", [DiskApplier, in_memory], ids=["disk", "client"])
async def test_what_was_there_is_synced_before_anything_is_applied(
    root: Path, state: Path, monkeypatch: pytest.MonkeyPatch, under: Any
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    class Looks:
        async def apply(self, change: ChangeSet) -> Written:
            (kept,) = History(state / "history").entries([root])
            assert kept.stage == "begun"
            assert load(kept).files[0].before == Document(root / "cart.py", CART)
            assert kept.file.stem in [Path(name).stem for name in synced], "the file is synced"
            assert kept.file.parent.name in synced, "and its name is"
            assert not any(".kaaj" in name for name in synced), "and nothing was written by then"
            return await inner.apply(change)

    world = World(Folders.of(root))
    inner: Applier = under(world, state)
    if os.path.exists("/proc/self/fd"):  # noqa: PTH110 - a link of the system's
        monkeypatch.setattr(os, "fsync", fsync)
    journaled = Journaled(Looks(), History(state / "history"), world, lambda _: "s", nothing)
    await journaled.apply(edit(root / "cart.py", CART, FIXED))
    assert stages(state) == ["applied"]


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
async def test_what_is_kept_is_its_owners_alone_where_the_state_folder_is_not(root: Path, state: Path) -> None:
    """One that the user has made and named, perhaps."""
    state.mkdir()
    state.chmod(0o755)
    async with agent_in(state, root, turns=TURNS) as agent:
        assert isinstance((await work(agent)).state, Applied)
        files = [path for path in state.rglob("*") if path.is_file() and path.stat().st_size]
        assert {path.relative_to(state).parts[0] for path in files} >= {"sessions", "history"}
        own = {path for path in state.rglob("*") if path.stat().st_mode & 0o077 == 0}
        assert [path for path in files if not own.intersection((path, *path.parents))] == []
        assert state / "journal" in own


async def test_what_was_refused_leaves_nothing_behind(root: Path, state: Path) -> None:
    class Refuses:
        async def apply(self, change: ChangeSet) -> Written:
            raise ApplyError("no")

    world = World(Folders.of(root))
    journaled = Journaled(Refuses(), History(state / "history"), world, lambda _: "s", nothing)
    with pytest.raises(ApplyError):
        await journaled.apply(edit(root / "cart.py", CART, FIXED))
    assert stages(state) == []
    assert [path for path in (state / "history").rglob("*") if path.is_file()] == []


async def test_what_came_through_in_part_is_kept(root: Path, state: Path) -> None:
    class Half:
        async def apply(self, change: ChangeSet) -> Written:
            (root / "cart.py").write_text(FIXED)
            raise ApplyError("half")

    world = World(Folders.of(root))
    journaled = Journaled(Half(), History(state / "history"), world, lambda _: "s", nothing)
    both = ChangeSet("c", "t", (*edit(root / "cart.py", CART, FIXED).files, FileChange(root / "n.py", None, "x")))
    with pytest.raises(ApplyError):
        await journaled.apply(both)
    assert stages(state) == ["part"]


async def test_a_disk_that_keeps_nothing_is_told_and_the_change_can_be_undone_meanwhile(
    root: Path, state: Path
) -> None:
    state.mkdir()
    (state / "history").write_text("no folder")
    async with agent_in(state, root, turns=TURNS) as agent:
        change = await work(agent)
        assert isinstance(change.state, Applied)
        assert "only until Kaaj ends" in told(agent)
        await agent.undo(change.id)
        assert (root / "cart.py").read_text() == CART


# --- the cap ----------------------------------------------------------------------------------------------------------


def fill(history: History, root: Path, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        one = edit(root / "cart.py", "x" * 1000, "y" * 1000, f"change-{number}")
        history.begin(one, "s", [root]).end("applied")


def names(history: History, root: Path) -> list[str]:
    return [kept.change for kept in history.entries([root])]


def test_the_oldest_go_first_where_a_workspace_is_over_its_cap(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    history = History(tmp_path / "history", cap=40_000)
    fill(history, other, 2, 100)
    fill(history, one, 20)
    left = names(history, one)
    assert left == [f"change-{number}" for number in range(20 - len(left), 20)]
    assert 3 <= len(left) < 20
    size = sum(kept.file.stat().st_size for kept in history.entries([one]))
    assert size <= 40_000
    assert names(history, other) == ["change-100", "change-101"], "each workspace has a cap of its own"


def test_the_newest_and_what_is_being_applied_stay_whatever_their_size(tmp_path: Path) -> None:
    history = History(tmp_path / "history", cap=1)
    begun = history.begin(edit(tmp_path / "a", "x", "y", "change-begun"), "s", [tmp_path])
    fill(history, tmp_path, 3)
    assert names(history, tmp_path) == ["change-begun", "change-2"]
    begun.end("applied")
    fill(history, tmp_path, 1, 9)
    assert names(history, tmp_path) == ["change-9"]


def test_a_clock_that_jumps_does_not_change_who_is_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = History(tmp_path / "history", cap=12_000)
    times = iter([5e9, 4e9, 3e9, 2e9, 1e9, 0.0])
    monkeypatch.setattr("kaaj_agent.history.time.time", lambda: next(times))
    fill(history, tmp_path, 6)
    left = names(history, tmp_path)
    assert left == [f"change-{number}" for number in range(6 - len(left), 6)], "and the newest is offered first"
    assert 1 < len(left) < 6


def test_the_last_of_a_change_is_the_last_in_time_whichever_folders_were_open(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    sets = ([tmp_path / "one"], [tmp_path / "one", tmp_path / "two"])
    for change, order in (("change-a", sets), ("change-b", sets[::-1])):
        for session, roots in zip(("first", "then"), order, strict=True):
            history.begin(edit(tmp_path / "one" / "a", "x", "y", change), session, roots).end("applied")
        assert [kept.session for kept in history.of_change(change)] == ["first", "then"]


def test_leftovers_of_the_killed_are_cleared(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    fill(history, tmp_path, 1)
    (workspace,) = history.folder.iterdir()
    (workspace / "00000007-change-x.tmp").write_text("torn")
    (workspace / "00000007-change-x.lock").touch()
    fill(history, tmp_path, 1, 1)
    assert sorted(path.suffix for path in workspace.iterdir()) == [".applied", ".applied"]


def test_what_is_no_entry_is_left_out(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    fill(history, tmp_path, 1)
    (workspace,) = history.folder.iterdir()
    for number, text in enumerate(["", "{", "[]", '{"kaaj": 99}', "null", '{"kaaj": 1}']):
        (workspace / f"0000001{number}-bad.applied").write_text(text)
    assert names(history, tmp_path) == ["change-0"]
    assert history.of_change("../x") == []


# --- the next start ---------------------------------------------------------------------------------------------------


async def killed(root: Path, state: Path, arrives: dict[str, str]) -> str:
    """A server that died while its client applied: of the edit, `arrives` came to be. The change's id."""

    class Dies:
        def __init__(self, world: World, _: Path) -> None:
            pass

        async def apply(self, change: ChangeSet) -> Written:
            raise KeyboardInterrupt  # no failure that anything answers to

    class Cut(Journaled):
        async def apply(self, change: ChangeSet) -> Written:
            entry = await self._begin(change)
            assert entry is not None
            entry.leave()
            raise ApplyError("cut")

    async with agent_in(state, root, turns=TURNS, applier=Dies) as agent:
        inner = agent.reviews.applier
        assert isinstance(inner, Journaled)
        agent.reviews.applier = Cut(inner.applier, inner.history, inner.world, inner.session_of, inner.tell)
        started = await agent.start(StartRequest("Mend it", "ask"))
        await agent.wait(started.task)
        (session,) = await agent.overview()
        change = session.changes[-1]
        with pytest.raises(ApplyError):
            await agent.accept(change.id, change.digest)
    for name, text in arrives.items():
        (root / name).write_text(text)
    assert stages(state) == ["begun"]
    return change.id


async def test_all_of_it_came_to_be(root: Path, state: Path) -> None:
    change = await killed(root, state, {"cart.py": FIXED, "new.py": "x = 1\n"})
    async with agent_in(state, root) as agent:
        (session,) = await agent.overview()
        assert isinstance(session.changes[0].state, Applied)
        assert session.tasks[0].status == "done"
        assert "all of it is in your files: cart.py, new.py" in told(agent)
        await agent.undo(change)
        assert (root / "cart.py").read_text() == CART
        assert not (root / "new.py").exists()
    async with agent_in(state, root) as agent:
        await agent.overview()
        assert told(agent).count("Kaaj was stopped") == 1, "it is said once"


async def test_nothing_of_it_came_to_be(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaaj_agent.recovery.PATIENCE", 0.0)
    change = await killed(root, state, {})
    async with agent_in(state, root) as agent:
        (session,) = await agent.overview()
        assert isinstance(session.changes[0].state, Proposed)
        assert "nothing of it was" in told(agent)
        await agent.accept(change, session.changes[0].digest)
        assert (root / "cart.py").read_text() == FIXED


async def test_a_part_of_it_came_to_be(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kaaj_agent.recovery.PATIENCE", 0.0)
    change = await killed(root, state, {"cart.py": FIXED})
    async with agent_in(state, root) as agent:
        (session,) = await agent.overview()
        done, rest = session.changes
        assert isinstance(done.state, Applied)
        assert isinstance(rest.state, Proposed)
        assert (done.id, [file.path.name for file in rest.files]) == (change, ["new.py"])
        assert "With the new text: cart.py. Without it: new.py" in told(agent)
        await agent.accept(rest.id, rest.digest)
        assert (root / "new.py").read_text() == "x = 1\n"
        await agent.undo(change)
        assert (root / "cart.py").read_text() == CART


async def test_an_editor_that_tells_its_buffers_late_is_waited_for(root: Path, state: Path) -> None:
    await killed(root, state, {"new.py": "x = 1\n"})

    class Late(World):
        def snapshot(self) -> Any:
            self.asked = getattr(self, "asked", 0) + 1
            if self.asked == 4:
                self.put(Document(root / "cart.py", FIXED, 1))
            return super().snapshot()

    async with agent_in(state, root) as agent:
        agent.reviews.world = Late(agent.world.folders)
        (session,) = await agent.overview()
        assert isinstance(session.changes[0].state, Applied)


async def test_what_a_living_process_is_applying_is_left_alone(root: Path, state: Path) -> None:
    entry = History(state / "history").begin(edit(root / "cart.py", CART, FIXED), "s", [root])
    assert await recover_all(state, Folders.of(root)) == []
    assert stages(state) == ["begun"]
    entry.leave()
    assert len(await recover_all(state, Folders.of(root))) == 1


async def test_an_undo_that_came_to_be_is_known_after_the_crash(root: Path, state: Path) -> None:
    async with agent_in(state, root, turns=TURNS) as agent:
        change = await work(agent)

        class Cut:
            def __init__(self, inner: Applier) -> None:
                self.inner = inner

            async def apply(self, change: ChangeSet) -> Written:
                await self.inner.apply(change)
                raise ApplyError("cut")

        agent.reviews.applier = Cut(agent.reviews.applier)
        with pytest.raises(ApplyError):
            await agent.undo(change.id)
    async with agent_in(state, root) as agent:
        (session,) = await agent.overview()
        assert isinstance(session.changes[0].state, Undone)


# --- version control, and several folders -----------------------------------------------------------------------------


def everything(folder: Path) -> dict[str, tuple[object, ...]]:
    return {
        path.relative_to(folder).as_posix(): (
            path.lstat().st_mode,
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.skipif(shutil.which("git") is None, reason="looks at a repository of git's")
async def test_git_is_not_touched_by_apply_undo_and_recovery(root: Path, state: Path, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    (root / "cart.py").write_text("stashed\n")
    git("stash")
    (root / "other.py").write_text("staged\n")
    git("add", "other.py")
    ran = tmp_path / "ran"
    for name in ("pre-commit", "post-index-change", "post-checkout", "pre-applypatch", "reference-transaction"):
        hook = root / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {ran}\n")
        hook.chmod(0o755)
    os.utime(root / "cart.py")  # the index is stale now: whoever refreshes it, writes it
    before = everything(root / ".git")
    async with agent_in(state, root, turns=TURNS) as agent:
        change = await work(agent)
        assert isinstance(change.state, Applied)
    async with agent_in(state, root) as agent:
        await agent.undo(change.id, root / "new.py")
        await agent.undo(change.id)
    assert (root / "cart.py").read_text() == CART
    shutil.rmtree(state)
    await killed(root, state, {"cart.py": FIXED})
    assert len(await recover_all(state, Folders.of(root))) == 1
    assert everything(root / ".git") == before
    assert not ran.exists()


async def test_it_works_without_git(root: Path, state: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    async with agent_in(state, root, turns=TURNS) as agent:
        change = await work(agent)
        assert (root / "cart.py").read_text() == FIXED
    async with agent_in(state, root) as agent:
        await agent.undo(change.id)
    assert (root / "cart.py").read_text() == CART


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
async def test_a_file_that_was_removed_comes_back_as_private_and_as_runnable_as_it_was(root: Path, state: Path) -> None:
    (root / "run.sh").write_bytes("#!/bin/sh\r\n# café\r\n".encode("latin-1"))
    (root / "run.sh").chmod(0o755)
    (root / "private.txt").write_bytes(b"\xef\xbb\xbfmine\r\nalone")
    (root / "private.txt").chmod(0o600)
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in root.iterdir()}
    files = tuple(FileChange(path, disk.read(path, path.name), None).with_hunks() for path in sorted(root.iterdir()))
    world = World(Folders.of(root))
    journaled = Journaled(DiskApplier(world, state), History(state / "history"), world, lambda _: "s", nothing)
    change = ChangeSet("change-a", "task-a", files)
    await journaled.apply(change)
    assert list(root.iterdir()) == []
    applied = change.to(Proposed(CheckResult("none"))).to(Applied(CheckResult("none"), frozenset(), change.after))
    back = await reverse(applied, world.snapshot())
    await journaled.apply(back)
    assert {path.name: (path.read_bytes(), path.stat().st_mode) for path in root.iterdir()} == before


async def test_one_change_in_several_folders(root: Path, state: Path, tmp_path: Path) -> None:
    other = (tmp_path / "lib").resolve()
    other.mkdir()
    turns = ([*TURNS[0], call("write", path="lib/deep/new.py", content="z\n")], "Both.")
    async with agent_in(state, root, other, turns=turns) as agent:
        change = await work(agent)
        assert isinstance(change.state, Applied)
        assert (other / "deep/new.py").read_text() == "z\n"
    async with agent_in(state, other, root) as agent:  # in another order
        await agent.undo(change.id, other / "deep/new.py")
        assert not (other / "deep/new.py").exists()
        assert (root / "cart.py").read_text() == FIXED
        await agent.undo(change.id)
        assert (root / "cart.py").read_text() == CART
    assert {kept.file.parent for kept in History(state / "history").entries([root])} == {
        kept.file.parent for kept in History(state / "history").entries([other])
    }
