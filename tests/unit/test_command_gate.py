"""Which commands are put to the person, with which words, and what becomes of the answers."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent import sandbox
from kaaj_agent.allowed_commands import NAME, Allowed, AllowedCommands
from kaaj_agent.bubblewrap import Bubblewrap
from kaaj_agent.command_gate import ALWAYS, NOT_NOW, OFFLINE, RUN_IT, CommandGate, Refusal
from kaaj_agent.command_policy.verdict import Where
from kaaj_agent.ports import Question
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import Desk, desk
from kaaj_agent.world import Folders
from kaaj_server.cli import allowed
from kaaj_server.cli.context import Context

NO_SANDBOX = Sandbox(None, "bubblewrap (bwrap) is not installed.")
SANDBOX = Sandbox(Path("/usr/bin/bwrap"))
DOUBTFUL = "$(cat name) --version"


@dataclass
class Person:
    """Answers each question with what comes next."""

    answers: list[str | None]
    asked: list[Question] = field(default_factory=list[Question])

    async def ask(self, question: Question) -> str | None:
        self.asked.append(question)
        return self.answers.pop(0) if self.answers else None


@dataclass
class Case:
    """A workspace, a state folder beside it, and a shadow that nothing is laid out in."""

    root: Path
    state: Path
    person: Person

    async def decide(self, command: str, sandbox: Sandbox = NO_SANDBOX, *, network: bool = False) -> Where | Refusal:
        shadow = await Shadow.open(Folders.of(self.root), self.state, sandbox=sandbox)
        try:
            gate = CommandGate("t", self.root, (self.root,), self.state, network, self.person.ask)
            return await gate.decide(command, shadow)
        finally:
            await shadow.close()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    root = tmp_path.resolve() / "shop"
    root.mkdir()
    return Case(root, tmp_path.resolve() / "state", Person([]))


async def test_without_a_sandbox_each_command_is_asked_for_and_that_is_told_plainly(case: Case) -> None:
    case.person.answers = [RUN_IT, RUN_IT, NOT_NOW, None]
    for _ in range(2):
        assert await case.decide("pytest -q") == "unboxed"
    for _ in range(2):
        answer = await case.decide("pytest -q")
        assert isinstance(answer, Refusal)
        assert answer.sentence == "The user did not allow `pytest -q`; it was not run. Go on without it."
    assert len(case.person.asked) == 4
    question = case.person.asked[0]
    assert question.title == "Run `pytest -q`?"
    assert "There is no sandbox. bubblewrap (bwrap) is not installed." in question.detail
    assert "with all your rights" in question.detail
    assert question.choices == (RUN_IT, ALWAYS, NOT_NOW)


async def test_in_the_sandbox_only_what_cannot_be_read_is_asked_for(case: Case) -> None:
    assert await case.decide("pytest -q | tail", SANDBOX) == "sandbox"
    assert case.person.asked == []
    case.person.answers = [RUN_IT]
    assert await case.decide(DOUBTFUL, SANDBOX) == "sandbox"
    assert "only decided when it runs" in case.person.asked[0].detail
    assert "in the sandbox" in case.person.asked[0].detail


@pytest.mark.parametrize("sandbox", [SANDBOX, NO_SANDBOX], ids=["boxed", "unboxed"])
async def test_what_is_refused_is_not_even_put_to_the_person(case: Case, sandbox: Sandbox) -> None:
    case.person.answers = [ALWAYS]
    answer = await case.decide("sudo make install", sandbox)
    assert isinstance(answer, Refusal)
    assert "another user's rights" in answer.sentence
    assert case.person.asked == []


async def test_without_a_sandbox_the_persons_own_tree_is_outside(case: Case) -> None:
    case.person.answers = [RUN_IT] * 3
    answer = await case.decide(f"echo x > {case.root}/a.py")
    assert isinstance(answer, Refusal)
    assert "use a path relative to its root" in answer.sentence
    assert await case.decide(f"echo x > {case.root}/a.py", SANDBOX) == "sandbox", "there the copy stands at that place"
    assert await case.decide("echo x > a.py") == "unboxed"


async def test_an_answer_for_good_holds_for_exactly_that_text_in_that_folder(case: Case, tmp_path: Path) -> None:
    case.person.answers = [ALWAYS]
    assert await case.decide("make test") == "unboxed"
    assert await case.decide("make test") == "unboxed"
    assert len(case.person.asked) == 1
    for other in ("make  test", "make test ", "make test; ls", "make", "make test\n", "MAKE=1 make test"):
        assert isinstance(await case.decide(other), Refusal)
    elsewhere = Case(tmp_path.resolve() / "other", case.state, Person([]))
    elsewhere.root.mkdir()
    assert isinstance(await elsewhere.decide("make test"), Refusal)
    assert elsewhere.person.asked


async def test_an_answer_for_the_sandbox_gives_no_right_without_one(case: Case) -> None:
    case.person.answers = [ALWAYS]
    assert await case.decide(DOUBTFUL, SANDBOX) == "sandbox"
    assert await case.decide(DOUBTFUL, SANDBOX) == "sandbox"
    assert isinstance(await case.decide(DOUBTFUL), Refusal)
    assert len(case.person.asked) == 2


async def test_an_answer_for_good_cannot_be_given_to_what_is_refused(case: Case) -> None:
    AllowedCommands(case.state / NAME).add(Allowed(str(case.root), "sudo ls", "unboxed"))
    assert isinstance(await case.decide("sudo ls"), Refusal)


async def test_answers_are_kept_in_the_users_state_and_not_in_the_workspace(case: Case) -> None:
    case.person.answers = [ALWAYS]
    await case.decide("make test")
    path = case.state / NAME
    assert json.loads(path.read_text()) == {str(case.root): [{"command": "make test", "where": "unboxed"}]}
    assert path.stat().st_mode & 0o077 == 0
    assert list(case.root.iterdir()) == []


async def test_a_workspace_cannot_add_an_answer(case: Case) -> None:
    """Not by a file of that name, nor by holding the state folder."""
    rows = json.dumps({str(case.root): [{"command": "make test", "where": "unboxed"}]})
    for place in (case.root / NAME, case.root / ".kaaj" / NAME, case.root / ".vscode" / NAME):
        place.parent.mkdir(exist_ok=True)
        place.write_text(rows)
    assert isinstance(await case.decide("make test"), Refusal)
    inside = Case(case.root, case.root / ".kaaj", Person([ALWAYS, RUN_IT]))
    assert isinstance(await inside.decide("make test"), Refusal), "there is no such choice where it could be planted"
    assert inside.person.asked[0].choices == (RUN_IT, NOT_NOW)
    assert await inside.decide("make test") == "unboxed"


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 5_000, '{"/r": 1}', '{"/r": [1, {"command": 2, "where": "unboxed"}]}', "\xff",
             '{"/r": [{"command": "ls", "where": "everywhere"}, {"command": "ls"}]}'],
)  # fmt: skip
def test_a_file_that_makes_no_sense_allows_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / NAME
    path.write_bytes(text.encode("latin-1"))
    memory = AllowedCommands(path)
    assert memory.rows() == []
    memory.add(Allowed("/r", "ls", "sandbox"))
    assert memory.allows(Path("/r"), "ls", "sandbox")
    assert not memory.allows(Path("/r"), "ls", "network")


async def test_the_network_is_granted_by_the_person_alone(case: Case) -> None:
    assert await case.decide("npm ci", SANDBOX) == "sandbox", "the setting is off"
    case.person.answers = [OFFLINE, RUN_IT, ALWAYS, None]
    assert await case.decide("npm ci", SANDBOX, network=True) == "sandbox"
    assert await case.decide("npm ci", SANDBOX, network=True) == "network"
    assert await case.decide("npm ci", SANDBOX, network=True) == "network"
    assert await case.decide("npm ci", SANDBOX, network=True) == "network"
    assert len(case.person.asked) == 3
    assert case.person.asked[0].choices == (RUN_IT, ALWAYS, OFFLINE, NOT_NOW)
    assert case.person.asked[0].title == "Run `npm ci` with the network?"
    assert "localhost" in case.person.asked[0].detail, "the network of the sandbox is this machine's"
    assert await case.decide("npm ci", SANDBOX) == "sandbox", "nor does a remembered answer stand over the setting"


async def test_a_question_shows_the_whole_command_and_nothing_in_it_can_hide(case: Case) -> None:
    tricky = "echo \u202e\x1b[8m" + "x" * 300 + "; rm -r src\nls \x1b[2J"
    await case.decide(tricky)
    question = case.person.asked[0]
    assert "; rm -r src\nls \\x1b[2J" in question.detail
    assert "\\u202e\\x1b[8m" in question.title
    assert question.title.isprintable()
    assert "characters)" in question.title, "what is cut is told"
    assert "\x1b" not in question.detail
    assert "Programs: echo, rm, ls." in question.detail


# --- on the way of a task -----------------------------------------------------------------------------------------


def heard(d: Desk) -> list[str]:
    sessions = d.agent._sessions.values()
    return [message.content for one in sessions for message in one.messages if message.role == "tool"]


async def test_a_task_hears_why_a_command_was_refused_and_goes_on(tmp_path: Path) -> None:
    turns = (call("run", command="sudo make"), call("run", command="echo x > /etc/x"), "Done.")
    async with desk(tmp_path, *turns, sandbox="off") as d:
        await d.run()
        assert d.answers.asked == []
        assert "another user's rights" in heard(d)[0]
        assert "outside" in heard(d)[1] or "not in the copy" in heard(d)[1]


async def test_where_a_sandbox_is_required_and_missing_no_command_is_even_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox, "try_bubblewrap", lambda: Bubblewrap(None, "There is none."))
    run = call("run", command="touch sprung")
    async with desk(tmp_path, run, "Done.", sandbox="required") as d:
        d.answers.answers = [ALWAYS]
        await d.run()
        assert "the sandbox is required and missing (There is none.)" in heard(d)[0]
        assert d.answers.asked == []
        assert not d.session().changes


async def test_a_task_runs_what_was_allowed_for_good_in_the_task_before(tmp_path: Path) -> None:
    turns = [call("run", command="echo one"), "Done.", call("run", command="echo one"), "Done."]
    async with desk(tmp_path, *turns, sandbox="off") as d:
        d.answers.answers = [ALWAYS]
        await d.run()
        await d.run()
        assert len(d.answers.asked) == 1
        assert ["one" in text for text in heard(d)] == [True, True]
        assert "switched off" in d.answers.asked[0].detail


# --- kaaj allowed -------------------------------------------------------------------------------------------------


def said(state: Path, **arguments: Any) -> tuple[int, str]:
    out, err = StringIO(), StringIO()
    context = Context({}, state, StringIO(), out, err)
    code = allowed.run(context, Namespace(**{"forget": None, "json": False} | arguments))
    return code, out.getvalue() + err.getvalue()


def test_answers_for_good_are_shown_and_taken_back(tmp_path: Path) -> None:
    assert said(tmp_path) == (0, "Nothing is allowed for good.\n")
    memory = AllowedCommands(tmp_path / NAME)
    memory.add(Allowed("/w/a", "make\ttest\x1b", "unboxed"))
    memory.add(Allowed("/w/b", "npm ci", "network"))
    (tmp_path / "checks.json").write_text(json.dumps({"/w/a": "pytest"}))
    code, text = said(tmp_path)
    assert code == 0
    assert text.splitlines() == [
        "/w/a", "    1  check    pytest", "    2  unboxed  make\\ttest\\x1b", "/w/b", "    3  network  npm ci",
    ]  # fmt: skip
    assert [row["command"] for row in json.loads(said(tmp_path, json=True)[1])] == [
        "pytest",
        "make\ttest\x1b",
        "npm ci",
    ]
    assert said(tmp_path, forget=["2", "9"])[0] == 2
    assert len(memory.rows()) == 2
    assert said(tmp_path, forget=["2"]) == (0, "Taken back: 1.\n")
    assert not memory.allows(Path("/w/a"), "make\ttest\x1b", "unboxed")
    assert said(tmp_path, forget=["all"]) == (0, "Taken back: 2.\n")
    assert said(tmp_path) == (0, "Nothing is allowed for good.\n")


async def test_a_check_agreed_to_for_the_sandbox_is_asked_for_again_without_one(tmp_path: Path) -> None:
    turns = [call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)"), "Done."]
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/Makefile").write_text("test:\n\ttrue\n")
    state = tmp_path / "state"
    state.mkdir()
    (state / "checks.json").write_text(json.dumps({str((tmp_path / "shop").resolve()): "make test"}))
    async with desk(tmp_path, *turns, *turns, sandbox="off", check="") as d:
        d.answers.answers = ["Use it from now on"]
        await d.run()
        assert [question.kind for question in d.answers.asked] == ["check"]
        assert "with all your rights, as there is no sandbox" in d.answers.asked[0].detail
        await d.run()
        assert len(d.answers.asked) == 1, "an answer that was given without a sandbox holds without one"


@pytest.mark.parametrize("planted", ["make test", "none"])
async def test_a_workspace_cannot_plant_a_check_that_was_agreed_to(tmp_path: Path, planted: str) -> None:
    """Not where it holds the state folder, either; a check that was planted away is found and asked for as well."""
    turns = [call("edit", path="cart.py", old="sum(items) - 1", new="sum(items)"), "Done."]
    inside = tmp_path / "shop/.kaaj"
    inside.mkdir(parents=True)
    (tmp_path / "shop/Makefile").write_text("test:\n\ttrue\n")
    (tmp_path / "state").symlink_to(inside)
    rows = json.dumps({str((tmp_path / "shop").resolve()): planted})
    (inside / "checks.json").write_text(rows)
    async with desk(tmp_path, *turns, check="") as d:
        d.answers.answers = ["Use it from now on"]
        await d.run()
        assert [question.kind for question in d.answers.asked] == ["check"]
    assert (inside / "checks.json").read_text() == rows, "an answer that is not believed is not written"
