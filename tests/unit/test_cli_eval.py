"""Evaluation tasks as they stand on disk, and the results that an evaluation leaves and takes up again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kaaj_agent.failures import BadRequestError
from kaaj_server.cli.eval_task import Result, find_tasks, finished_runs, read_task

GOOD = 'prompt = "do it"\ncheck = "true"\ntimeout = 5\n'
EXAMPLES = Path(__file__).parent.parent / "bench" / "tasks"


def task(folder: Path, toml: str = GOOD, *, workspace: bool = True) -> Path:
    folder.mkdir(parents=True)
    (folder / "task.toml").write_text(toml)
    if workspace:
        (folder / "workspace").mkdir()
    return folder


def test_a_task_with_everything(tmp_path: Path) -> None:
    folder = task(tmp_path / "a", GOOD + 'files = ["x.py", "y.py"]\nmode = "ask"\n')
    found = read_task(folder, "a")
    assert found.prompt == "do it\n\nFiles: x.py, y.py"
    assert (found.check, found.timeout, found.mode) == ("true", 5.0, "ask")


@pytest.mark.parametrize(
    ("toml", "field"),
    [
        ('check = "true"\ntimeout = 5\n', "prompt"),
        ('prompt = " "\ncheck = "true"\ntimeout = 5\n', "prompt"),
        ('prompt = "x"\ntimeout = 5\n', "check"),
        ('prompt = "x"\ncheck = "true"\n', "timeout"),
        ('prompt = "x"\ncheck = "true"\ntimeout = -1\n', "timeout"),
        ('prompt = "x"\ncheck = "true"\ntimeout = true\n', "timeout"),
        (GOOD + 'mode = "yolo"\n', "mode"),
        (GOOD + "files = [1]\n", "files"),
        (GOOD + 'needs = "gcc"\n', "needs"),
        (GOOD + "setup = 3\n", "setup"),
        (GOOD + 'split = "both"\n', "split"),
        (GOOD + "untouched = 1\n", "untouched"),
        (GOOD + "surprise = 1\n", "surprise"),
        ("not toml", "DIR"),
    ],
)
def test_a_task_that_is_wrong_names_the_field(tmp_path: Path, toml: str, field: str) -> None:
    folder = task(tmp_path / "a", toml)
    with pytest.raises(BadRequestError) as caught:
        read_task(folder, "a")
    assert caught.value.field == field
    assert str(folder / "task.toml") in caught.value.message


def test_the_agent_is_told_the_check_unless_it_is_hidden(tmp_path: Path) -> None:
    plain = read_task(task(tmp_path / "plain"), "plain")
    assert plain.agent_check == "true"
    secret = task(tmp_path / "secret")
    (secret / "hidden").mkdir()
    assert read_task(secret, "secret").agent_check == ""
    told = task(tmp_path / "told", GOOD + 'agent_check = "make test"\n')
    (told / "hidden").mkdir()
    assert read_task(told, "told").agent_check == "make test"


def test_setup_and_check_find_the_folder_of_the_task(tmp_path: Path) -> None:
    found = read_task(task(tmp_path / "a", GOOD + 'setup = "make"\nneeds = ["make"]\nuntouched = true\n'), "a")
    assert found.environ({"HOME": "/"}) == {"HOME": "/", "KAAJ_TASK": str((tmp_path / "a").resolve())}
    assert (found.setup, found.needs, found.untouched) == ("make", ("make",), True)


def test_a_task_without_a_workspace(tmp_path: Path) -> None:
    with pytest.raises(BadRequestError, match="workspace"):
        read_task(task(tmp_path / "a", workspace=False), "a")


def test_tasks_of_a_folder_in_order_each_once_and_with_names_of_their_own(tmp_path: Path) -> None:
    task(tmp_path / "one" / "b")
    task(tmp_path / "one" / "a")
    task(tmp_path / "two" / "a")
    found = find_tasks([tmp_path / "one", tmp_path / "two", tmp_path / "one" / "a"])
    assert [one.name for one in found] == ["one/a", "b", "two/a"]


def test_the_examples_can_be_read() -> None:
    assert {one.name for one in find_tasks([EXAMPLES])} >= {"fix-a-bug", "add-a-parameter", "rename"}


def test_a_line_has_the_agreed_fields_and_comes_back(tmp_path: Path) -> None:
    result = Result("a", solved=True, status="done", seconds=1.5, requests=2, prompt_tokens=30, edits=1)
    row = json.loads(result.line())
    names = "task solved status seconds requests prompt_tokens cached_tokens completion_tokens edits"
    assert list(row) == names.split()
    out = tmp_path / "r.jsonl"
    seeded = Result("a", solved=False, status="timeout", seconds=9.0, seed=3, error="it broke")
    out.write_text(f"{result.line()}\n{seeded.line()}\n")
    assert finished_runs(out) == {("a", None): result, ("a", 3): seeded}


def test_a_torn_line_counts_for_nothing(tmp_path: Path) -> None:
    out = tmp_path / "r.jsonl"
    result = Result("a", solved=True, status="done", seconds=1.0)
    out.write_text(f"{result.line()}\n[1]\n{{}}\n{result.line()[:20]}")
    assert list(finished_runs(out)) == [("a", None)]
    assert finished_runs(tmp_path / "none.jsonl") == {}
