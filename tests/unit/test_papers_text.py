"""The documents of the plain tier: what they say, and where their lenses stand."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent.changes import ChangeSet, CheckResult, FileChange, Proposed
from kaaj_agent.document import Document
from kaaj_agent.todo import Evidence, Todo, TodoList
from kaaj_server.lsp.plain.chat import MARK, chat_text, mark_line, plan_text, prompt_in
from kaaj_server.lsp.plain.review import review

PATH = Path("/w/a.py")


def test_the_diff_has_a_place_for_each_hunk() -> None:
    before = "".join(f"line {n}\n" for n in range(12))
    after = before.replace("line 1\n", "one\n").replace("line 4\n", "").replace("line 10\n", "line 10\nmore\n")
    check = CheckResult("failed", "pytest", "boom\n", 1.0)
    change = ChangeSet(
        "c", "t", (FileChange(PATH, Document(PATH, before), after).with_hunks(),), Proposed(check), "Do\nmore"
    )
    text, places = review(change, lambda path: path.name)
    rows = text.split("\n")
    assert rows[0] == "# Kaaj: Do"
    assert "check FAILED: pytest" in rows[1]
    assert "#   boom" in rows
    assert [rows[line][:2] for line in places] == ["@@"] * 3
    assert list(places.values()) == [hunk.id for hunk in change.hunks]
    heads = [row for row in rows if row.startswith("@@")]
    assert heads == ["@@ -1,4 +1,4 @@", "@@ -5,4 +5,3 @@", "@@ -9,4 +8,5 @@"]
    shown = [row[1:] for row in rows[5:] if row.startswith((" ", "-")) and not row.startswith("---")]
    assert shown == [f"line {n}" for n in range(12)]


def test_files_that_come_and_go() -> None:
    new = FileChange(Path("/w/new.py"), None, "x\ny").with_hunks()
    gone = FileChange(PATH, Document(PATH, "z\r\n"), None).with_hunks()
    text, _ = review(ChangeSet("c", "t", (new, gone)), lambda path: path.name)
    assert "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1,2 @@\n+x\n+y\n\\ No newline at end of file\n" in text
    assert "--- a/a.py\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-z\n" in text


@given(st.text(alphabet="ab\n#<!-> "))
def test_what_is_written_below_the_mark_is_the_prompt(prompt: str) -> None:
    text = chat_text([{"kind": "user", "text": "earlier"}, {"kind": "tool", "text": "read", "ok": True}], prompt)
    assert prompt_in(text).strip() == prompt.strip()
    lines = text.split("\n")
    line = mark_line(lines)
    assert line is not None
    assert lines[line] == MARK


def test_a_chat_without_its_mark_has_no_prompt() -> None:
    assert prompt_in("all gone") == ""
    assert mark_line(["all gone"]) is None


def test_calls_one_after_another_are_one_list() -> None:
    call = {"kind": "tool", "text": "Edit a.py", "ok": True, "detail": "line 4"}
    text = chat_text([{"kind": "model", "text": "Now."}, call, call, {"kind": "model", "text": "Done."}], "")
    assert "\nNow.\n\n- ✓ Edit a.py — line 4\n- ✓ Edit a.py — line 4\n\nDone.\n" in text


def test_an_item_is_proved_by_its_hunks_before_words() -> None:
    served = Evidence(("h1", "h2"), "parses", "read a.py")
    text, _ = plan_text("Do it", TodoList((Todo("t1", "One", "done", evidence=served),)))
    assert text.endswith("- [x] One (2 hunks, parses)\n")


def test_the_plan_shows_the_evidence() -> None:
    todo = TodoList((Todo("t1", "One", "done", evidence=Evidence((), "pytest", "")), Todo("t2", "Two", "skipped")))
    text, places = plan_text("Do it\nnow", todo)
    assert text == "# Plan: Do it\n\n2 of 2 done\n\n- [x] One (pytest)\n- [-] Two\n"
    assert places == {4: "t1", 5: "t2"}
