"""Keys are taken out of what is kept, logged, shown and sent; other text is not touched."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaaj_agent import events as ev
from kaaj_agent.attachments import AttachedText
from kaaj_agent.failures import FileError, KaajError
from kaaj_agent.outputs import Outputs
from kaaj_agent.redaction import MARK, WITHHELD, Redactor
from kaaj_agent.settings import AgentSettings, McpServer
from kaaj_agent.staging import Staging
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import desk
from kaaj_agent.world import Folders, Snapshot
from kaaj_server.__main__ import Withholding, _complain, set_logging_up

KNOWN = "k3y-of-the-t3st/with+signs"
PEM = "-----BEGIN RSA PRIVATE KEY-----\n" + "MIIEowIBAAKCAQEA\n" * 4 + "-----END RSA PRIVATE KEY-----"
FORMS = [
    "sk-proj-" + "a1B2" * 8, "sk-ant-api03-" + "x9" * 20, "ghp_" + "a1" * 18, "github_pat_" + "A1" * 30,
    "glpat-" + "x1" * 10, "xoxb-123456789012-abcdef", "AKIA" + "ABCD1234" * 2, "AIza" + "b" * 35, "hf_" + "c" * 34,
    "npm_" + "d" * 36, "sk_live_" + "e" * 24, "eyJhbGciOiJI." + "eyJzdWIiOiIx." + "SflKxwRJSMeKKF2QT4fw", PEM,
]  # fmt: skip


@pytest.mark.parametrize("secret", FORMS)
def test_what_is_a_key_by_its_form_goes(secret: str) -> None:
    shown = Redactor().text(f'key = "{secret}"  # mine\n')
    marks = "\n".join([MARK] * len(secret.splitlines()))
    assert shown == f'key = "{marks}"  # mine\n'
    assert secret not in Redactor().text(json.dumps({"key": secret}))


@pytest.mark.parametrize(
    "text",
    ["class sk-fading-circle-container-large {", "task-1cffdaf880", "ollama", "https://example.org/sk-1", "ghp_short",
     "AKIA", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "eyJ.eyJ.x", "risk-" + "a1" * 20,
     "def test(): pass"],
)  # fmt: skip
def test_what_is_no_key_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_a_known_value_goes_however_it_is_spelt() -> None:
    redactor = Redactor()
    redactor.learn(KNOWN)
    for text in (KNOWN, f"a{KNOWN}b", json.dumps(KNOWN), "k3y-of-the-t3st%2Fwith%2Bsigns"):
        assert "t3st" not in redactor.text(text)


@pytest.mark.parametrize("value", ["", "ollama", "dummy", "lm-studio", "two\nlines-of-12", "   "])
def test_what_cannot_be_told_from_a_word_is_not_taken_for_a_key(value: str) -> None:
    redactor = Redactor()
    redactor.learn(value)
    assert redactor.text(f"ollama dummy lm-studio {value}") == f"ollama dummy lm-studio {value}"


def test_variables_count_by_their_names_and_paths_do_not() -> None:
    redactor = Redactor()
    redactor.learn_environment(
        {
            "DEPLOY_TOKEN": "abc123def456",
            "KEY_FILE": "/etc/keys/abc99",
            "EDITOR": "some-long-editor-1",
            "X_PASSWORD": "pässwörd99",
        }
    )
    assert redactor.text("abc123def456 pässwörd99") == f"{MARK} {MARK}"
    assert redactor.text("/etc/keys/abc99 some-long-editor-1") == "/etc/keys/abc99 some-long-editor-1"


def test_settings_make_their_keys_known() -> None:
    AgentSettings(
        api_key="settings-key-0815",
        mcp=(McpServer("m", env=(("MY_TOKEN", "mcp-token-4711"), ("MODE", "production-1"))),),
    )
    assert WITHHELD.text("settings-key-0815 mcp-token-4711 production-1") == f"{MARK} {MARK} production-1"


def test_a_log_leaves_out_what_stands_where_a_password_stands(tmp_path: Path) -> None:
    formatter = Withholding("%(message)s")
    record = logging.LogRecord("x", 40, __file__, 1, "", None, None)
    try:
        int("https://me:pa55word@host/x with Authorization: Bearer abcdef123456 api_key=foobar77")
    except ValueError:
        record = logging.LogRecord("x", 40, __file__, 1, "failed: %s", ("postgres://u:s3cr3t@db/x",), sys.exc_info())
    told = formatter.format(record)
    assert "ValueError" in told
    assert "https://me:" in told
    for secret in ("pa55word", "abcdef123456", "foobar77", "s3cr3t"):
        assert secret not in told
    WITHHELD.learn("crash-report-key-1")
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    hook = threading.excepthook
    try:
        set_logging_up("warning", tmp_path, to_stderr=False)

        def fail() -> None:
            raise RuntimeError("with crash-report-key-1 inside")

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        logging.getLogger("kaaj").error("and crash-report-key-1 again")
        logging.shutdown()
        log = (tmp_path / "kaaj.log").read_text()
    finally:
        threading.excepthook = hook
        logging.basicConfig(level=level, handlers=before, force=True)
    assert log.count(MARK) >= 2
    assert "RuntimeError" in log
    assert "crash-report-key-1" not in log


def test_every_text_in_a_value_is_looked_at_and_the_rest_is_kept() -> None:
    redactor = Redactor()
    redactor.learn(KNOWN)
    body = ev.ToolStarted("t", "c", "run", f"Run {KNOWN}", {"command": f"echo {KNOWN}", "n": 3, "rows": [{"a": KNOWN}]})
    clean = redactor.value(body)
    assert KNOWN not in repr(clean)
    assert (clean.task, clean.arguments["n"]) == ("t", 3)
    started = ev.TaskStarted("t", "prompt", "ask", Path("/x"), context=(AttachedText("n", KNOWN),))
    assert KNOWN not in repr(redactor.value(started))
    assert redactor.value(started).path == Path("/x")
    plain = ev.Noticed("t", "info", "nothing")
    assert redactor.value(plain) is plain


@given(st.text())
def test_text_without_a_key_is_left_as_it_is(text: str) -> None:
    redactor = Redactor()
    redactor.learn("never-in-there-0815")
    assert redactor.text(text) == text


async def test_keys_in_files_and_requests_reach_no_prompt_event_or_log(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "config.py").write_text(f'KEY = "{FORMS[0]}"\nOTHER = 1\n')
    ways = (call("read", path="config.py"), call("search", pattern="KEY"), "Done.")
    async with desk(tmp_path, *ways, api_key=KNOWN) as d:
        await d.run(f"use {KNOWN} and {FORMS[2]}")
        said = repr([request.messages for request in d.model.requests]) + repr(d.events)
    kept = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "state").rglob("*") if path.is_file())
    for secret in (KNOWN, FORMS[0], FORMS[2]):
        assert secret not in said
        assert secret not in kept
    assert "OTHER = 1" in said


def test_a_complaint_on_the_terminal_holds_no_key(capsys: pytest.CaptureFixture[str]) -> None:
    WITHHELD.learn("complaint-key-0815")
    _complain(KaajError("No: complaint-key-0815", hint="See postgres://u:s3cr3t@db/x"))
    told = capsys.readouterr().err
    assert told.count(MARK) == 2
    assert "complaint-key-0815" not in told
    assert "s3cr3t" not in told


async def test_what_a_command_printed_is_kept_without_keys_and_for_its_owner(tmp_path: Path) -> None:
    WITHHELD.learn("kept-output-key-0815")
    outputs = Outputs(tmp_path / "outputs")
    assert await outputs.keep("curl -H kept-output-key-0815 x", "printed") == "output:1"
    assert "kept-output-key" not in (tmp_path / "outputs" / "1.txt").read_text()
    assert outputs.titles() == [f"output:1: curl -H {MARK} x"]
    if os.name == "posix":
        assert [path.stat().st_mode & 0o077 for path in (outputs.folder, outputs.folder / "1.txt")] == [0, 0]


@pytest.mark.parametrize("intent", ["explain", "fix", "task", "tests"])
async def test_keys_reach_no_request_that_stands_beside_the_session(tmp_path: Path, intent: str) -> None:
    """The guided loop asks much in contexts of its own."""
    path = tmp_path.resolve() / "shop" / "config.py"
    path.parent.mkdir()
    path.write_text(f'def total(prices):\n    key = "{FORMS[0]}"\n    return sum(prices) - 1\n')
    async with desk(tmp_path, *["Done."] * 12, loop="guided", max_steps=12) as d:
        await d.run("Mend total in config.py", path=path, span=(0, 3), intent=intent)
        said = repr([request.messages for request in d.model.requests])
    assert "sum(prices) - 1" in said
    assert FORMS[0] not in said


async def test_a_part_of_a_key_of_several_lines_is_not_shown_either(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "config.py").write_text(f'CERT = """{PEM}"""\nRATE = 1\n')
    ways = (call("read", path="config.py", start=2, end=3), call("search", pattern="MII|RATE"), "Done.")
    async with desk(tmp_path, *ways) as d:
        await d.run("Look", path=(root / "config.py").resolve(), span=(1, 4))
        said = repr([request.messages for request in d.model.requests])
    assert "MIIE" not in said
    assert "7: RATE = 1" in said


async def test_the_mark_is_never_written_where_a_secret_stands(tmp_path: Path) -> None:
    path = tmp_path.resolve() / "config.py"
    path.write_text(f'KEY = "{FORMS[0]}"\nOTHER = 1\n')
    staging = Staging(Snapshot(Folders.of(tmp_path), {}))
    with pytest.raises(FileError, match="were not shown"):
        await staging.put(path, f'KEY = "{MARK}"\nOTHER = 2\n')
    assert not staging.files
    await staging.put(path, f'KEY = "{FORMS[0]}"\nOTHER = 2\n')
    [file] = list(staging.files)
    assert file.after == f'KEY = "{FORMS[0]}"\nOTHER = 2\n'


def test_a_long_key_of_several_lines_is_waited_for_to_its_very_end() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "b64 line\n" * 1_775 + "-----END OPENSSH PRIVATE KEY-----"
    redactor = Redactor()
    assert redactor.text(key).count(MARK) == 1_777
    for end in (100, len(key) - 30, len(key) - 5, len(key) - 1, len(key)):
        assert redactor.unfinished("Here: " + key[:end]) == end


PIECES = (
    *FORMS, *(one[: len(one) // 2] for one in FORMS), *(one[len(one) // 2 :] for one in FORMS), KNOWN, KNOWN[:9],
    "sk-", "eyJ", "-----BEGIN", "-----END A-----", "-", "k3y", "SG", ".", " ", "\n", "a", "1", "and so on", "é",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.sampled_from([*FORMS, KNOWN]), st.data())
def test_what_is_there_of_a_key_is_held_whatever_stands_before_it(text: str, key: str, data: st.DataObject) -> None:
    redactor = Redactor()
    redactor.learn(KNOWN)
    there = data.draw(st.integers(1, len(key) - 1))
    assert redactor.unfinished(f"{text} {key[:there]}") >= there
    whole_at_the_end = f"{text} {key}"
    kept = redactor.unfinished(whole_at_the_end)
    assert kept == 0 or kept >= len(key) or key == KNOWN, "nor is it cut when it is whole"


@pytest.mark.parametrize(
    "piece",
    ["sk-", "eyJ-", "eyJaaaaaa.", "SG.", "xoxb-", "-----BEGIN", "-----BEGIN PRIVATE KEY-----", "-----END A-----"],
)
@pytest.mark.parametrize("end", ["", " ", "-----END A-----", ".x"])
def test_what_a_hostile_text_may_cost_while_it_streams_is_bounded(piece: str, end: str) -> None:
    """Each piece that streams is looked at, while everything else waits."""
    redactor, text = Redactor(), (piece * 15_000)[:15_000] + end
    before = time.process_time()
    for _ in range(10):
        redactor.unfinished(text)
    assert time.process_time() - before < 0.3
