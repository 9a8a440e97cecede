"""What is wrong outside of Kaaj: each ends in a sentence, the server goes on, and nothing of the user's is lost.

Commands with wrong arguments are in `test_server_commands`, bad replies and bad disks in `test_bad_world`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.testing import NEOVIM_11, VSCODE, FakeEditor, NewEditor, RpcError, with_events

STREAM = with_events(VSCODE)
DONE = answer("Done.")
OLD, NEW = "        result = price\n", "        result += price\n"
FIX = answer_calls(("edit", {"path": "cart.py", "old": OLD, "new": NEW}))
PLACE = {"start": {"line": 0, "character": 0}, "end": {"line": 1, "character": 0}}
MEGABYTE = 1024 * 1024


async def ended(editor: FakeEditor, **argument: Any) -> Any:
    """A task's last event, or the event of its proposal."""
    started = await editor.command("kaaj.start", {"prompt": "Go.", **argument})

    def over() -> Any:
        change = editor.change("proposed")
        waits = change is not None and change["task"] == started["task"]
        return editor.event("task_finished", task=started["task"]) or (change if waits else None)

    return await editor.eventually(over)


def heard(endpoint: ScriptedEndpoint) -> list[str]:
    """What the model was answered for each of its calls."""
    return [row["content"] for row in endpoint.prompts[-1]["messages"] if row["role"] == "tool"]


def notices(editor: FakeEditor) -> str:
    return "\n".join(event["message"] for event in editor.events if event["type"] == "notice")


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def strange(workspace: Path, tmp_path: Path) -> list[tuple[str, str]]:
    """Files that cannot be worked on, each with what is said of it."""
    outside = tmp_path / "outside.py"
    outside.write_text("password = 'hunter2'\n")
    (workspace / "image.bin").write_bytes(b"\x89PNG\0\1\2" * 50)
    with (workspace / "big.csv").open("wb") as file:
        file.truncate(50 * MEGABYTE)
    (workspace / "link.py").symlink_to(outside)
    (workspace / "up").symlink_to(tmp_path)
    (workspace / "loop").symlink_to(workspace / "loop")
    (workspace / "wide.txt").write_bytes("wide\n".encode("utf-32"))
    (workspace / "half.txt").write_bytes(b"\xff\xfea\0b")
    (workspace / ".env").write_text("KEY=hunter2\n")
    os.mkfifo(workspace / "pipe")
    return [
        ("image.bin", "is a binary file"),
        ("big.csv", "is 50 MB"),
        ("link.py", "is outside of the workspace"),
        ("up/outside.py", "is outside of the workspace"),
        ("../outside.py", "is outside of the workspace"),
        (str(outside), "is outside of the workspace"),
        ("loop", "is not a usable path"),
        ("wide.txt", "is a binary file"),
        ("half.txt", "is not valid utf-16-le"),
        (".env", "did not allow .env"),
        ("pipe", "is not a regular file"),
        (".git/config", "belongs to version control"),
        ("up", "is outside of the workspace"),
        (".", "is a folder"),
        ("", "A path is needed"),
        ("a\0b", "A path is needed"),
    ]


@pytest.mark.parametrize("tool", ["read", "edit", "write"])
async def test_files_that_cannot_be_worked_on(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path, strange: list[tuple[str, str]], tool: str
) -> None:
    rest: dict[str, str] = {"read": {}, "edit": {"old": "hunter2", "new": "x"}, "write": {"content": "x\n"}}[tool]
    endpoint.add(answer_calls(*((tool, {"path": name, **rest}) for name, _ in strange)), DONE)
    before = {name: data for name, data in everything(tmp_path).items() if "state" not in name}
    async with new_editor(capabilities=STREAM) as editor:
        editor.answer = lambda _: "Keep it away"
        assert (await ended(editor))["status"] == "done"
        for (name, said), text in zip(strange, heard(endpoint), strict=True):
            assert said in text, (name, text)
        assert editor.event("change") is None
    assert {name: data for name, data in everything(tmp_path).items() if "state" not in name} == before
    assert "hunter2'" not in str(endpoint.prompts)


async def test_search_and_list_pass_over_them(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, strange: list[tuple[str, str]]
) -> None:
    calls: list[tuple[str, Any]] = [
        ("search", {"pattern": "hunter2"}),
        ("search", {"pattern": "(?i)HUNTER2"}),
        ("list", {}),
        ("list", {"path": "up"}),
    ]
    endpoint.add(answer_calls(*calls), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        await ended(editor)
        plain, python, listed, link = heard(endpoint)
        assert plain == python == "No matches."
        assert "cart.py" in listed
        assert not {"loop", "up/", ".env", "link.py"}.intersection(listed.split())
        assert "outside of the workspace" in link
    assert strange


async def test_the_file_that_a_task_is_about_is_not_shown_to_the_model(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, strange: list[tuple[str, str]], workspace: Path, tmp_path: Path
) -> None:
    about = {
        (tmp_path / "outside.py").as_uri(): "outside of the workspace",
        (workspace / "link.py").as_uri(): "outside of the workspace",
        (workspace / ".env").as_uri(): "withheld",
        (workspace / "big.csv").as_uri(): "50 MB",
        (workspace / "gone.py").as_uri(): "does not exist",
        (workspace / "pipe").as_uri(): "not a regular file",
        workspace.as_uri(): "is a folder",
    }
    endpoint.add(*[DONE] * len(about))
    async with new_editor(capabilities=STREAM) as editor:
        for uri, said in about.items():
            assert (await ended(editor, uri=uri, range=PLACE))["status"] == "done"
            assert said in notices(editor).splitlines()[-1]
        with pytest.raises(RpcError, match="outside of the workspace"):
            await editor.command("kaaj.fix", {"uri": (tmp_path / "outside.py").as_uri(), "range": PLACE})
    assert "hunter2" not in str(endpoint.prompts)
    assert strange


async def test_a_buffer_of_50_megabytes(new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path) -> None:
    (workspace / "big.py").write_text("small = 1\n")
    endpoint.add(
        answer_calls(("read", {"path": "big.py"}), ("edit", {"path": "big.py", "old": "small", "new": "s"})), FIX, DONE
    )
    async with new_editor(capabilities=STREAM) as editor:
        text = ("x" * 1023 + "\n") * (50 * 1024)
        editor.open_uri(editor.uri("big.py"), text)
        editor.edit(editor.uri("big.py"), (2, 0), (2, 0), "typed")
        uri = await editor.open("cart.py")
        change = await ended(editor, uri=editor.uri("big.py"))
        assert "big.py is 50 MB" in notices(editor)
        assert all("big.py is 50 MB" in row for row in heard(endpoint)[:2])
        assert [file["uri"] for file in change["files"]] == [uri], "the other file is worked on"
        await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert NEW in editor.buffers[uri]


@pytest.mark.parametrize("gone", ["deleted", "unreadable", "binary", "folder"])
async def test_a_file_that_goes_while_its_proposal_waits(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, gone: str
) -> None:
    endpoint.add(FIX, DONE)
    cart = workspace / "cart.py"
    async with new_editor(capabilities=STREAM) as editor:
        change = await ended(editor)
        cart.unlink()
        if gone == "unreadable":
            cart.symlink_to(cart)
        elif gone == "binary":
            cart.write_bytes(b"\0\1\2")
        elif gone == "folder":
            cart.mkdir()
        with pytest.raises(RpcError) as refused:
            await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert refused.value.code in (-32803, -32602)
        assert "Nothing was written" in refused.value.message or "stale" in refused.value.message
        assert editor.edits == []
        assert (await editor.command("kaaj.snapshot", {}))["sessions"]


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="takes the right to read everything from root")
async def test_a_file_without_the_right_to_read(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    (workspace / "locked.py").write_text("x = 1\n")
    (workspace / "locked.py").chmod(0)
    endpoint.add(
        answer_calls(("read", {"path": "locked.py"}), ("write", {"path": "locked.py", "content": ""})), FIX, DONE
    )
    editor = new_editor(capabilities=STREAM)
    if os.geteuid() == 0:
        editor.command_line = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", *editor.command_line)
    async with editor:
        change = await ended(editor, uri=editor.uri("locked.py"))
        assert len(change["files"]) == 1
        assert "locked.py cannot be read: Permission denied." in notices(editor)
        assert all("cannot be read" in row for row in heard(endpoint)[:2])


NAMES = ["with space.py", "new\nline.py", "naïve 😀.py", "a#b?c%20.py", "quote'\".py", "-dash.py", "[b]*$(x).py"]


@pytest.mark.parametrize("opened", [NAMES, []])
async def test_names_of_all_sorts(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, opened: list[str]
) -> None:
    for name in NAMES:
        (workspace / name).write_text("x = 1\n")
    endpoint.add(
        answer_calls(*(("edit", {"path": name, "old": "x = 1", "new": "x = 2"}) for name in NAMES)),
        answer_calls(("write", {"path": "neu/Grüße \n.txt", "content": "hello\n"}), ("search", {"pattern": "x = 2"})),
        DONE,
    )
    async with new_editor(capabilities=STREAM, settings={"check": "true"}) as editor:
        for name in opened:
            await editor.open(name)
        change = await ended(editor, uri=editor.uri(NAMES[1]), range=PLACE)
        assert {file["uri"] for file in change["files"]} == {editor.uri(name) for name in [*NAMES, "neu/Grüße \n.txt"]}
        await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert [editor.buffers[editor.uri(name)] for name in NAMES] == ["x = 2\n"] * len(NAMES)
        shown = [name.replace("\n", r"\n") for name in NAMES]  # each on one line
        assert all(f"{name}\n1: x = 2" in heard(endpoint)[-1] for name in shown)


async def test_a_name_that_is_no_utf8(new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path) -> None:
    name = os.fsdecode(b"lat\xe9.py")
    (workspace / name).write_text("x = 1\n")
    endpoint.add(answer_calls(("list", {}), ("run", {"command": "sed -i s/1/2/ lat*.py"})), DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open(name)
        assert uri.endswith("lat%E9.py")
        change = await ended(editor, uri=uri, range=PLACE)
        assert "x = 1" in endpoint.prompts[0]["messages"][-1]["content"]
        if "files" in change:  # the command may run where there is a sandbox
            assert [file["uri"] for file in change["files"]] == [uri]
            await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
            assert editor.buffers[uri] == "x = 2\n"


# --- folders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folders", [[], None, [{"uri": "untitled:x", "name": "x"}], [3, {"uri": 4}], "loop"])
async def test_a_workspace_without_a_folder(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path, folders: Any
) -> None:
    (workspace / "loop").symlink_to(workspace / "loop")
    if folders == "loop":
        folders = [{"uri": (workspace / "loop").as_uri(), "name": "loop"}]
    endpoint.add(DONE)
    editor = new_editor(capabilities=STREAM)
    await editor.launch()
    await editor.request("initialize", {"workspaceFolders": folders, "capabilities": STREAM})
    editor.notify("initialized", {})
    try:
        uri = await editor.open("cart.py")
        with pytest.raises(RpcError, match="No workspace folder is open. Open a folder first."):
            await editor.command("kaaj.start", {"prompt": "Go.", "uri": uri})
        for wrong in ({"event": {"added": 4}}, {"event": None}, None, {"event": {"added": [{"uri": "x:["}]}}):
            editor.notify("workspace/didChangeWorkspaceFolders", wrong)
        added = [{"uri": workspace.as_uri(), "name": "shop"}]
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}})
        assert (await ended(editor, uri=uri))["status"] == "done"
    finally:
        await editor.kill()


async def test_a_folder_is_taken_away_under_a_proposal(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        uri = await editor.open("cart.py")
        change = await ended(editor)
        removed = [{"uri": workspace.as_uri(), "name": "shop"}]
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": removed}})
        decision = {"change": change["id"], "digest": change["digest"]}
        with pytest.raises(RpcError, match="the change is kept"):
            await editor.command("kaaj.accept", decision)
        assert editor.edits == []
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": removed, "removed": []}})
        assert (await editor.command("kaaj.accept", decision))["state"] == "applied"
        assert NEW in editor.buffers[uri]


async def test_two_folders_with_the_same_names(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "cart.py").write_text("far = 1\n")
    endpoint.add(answer_calls(("edit", {"path": "other/cart.py", "old": "far = 1", "new": "far = 2"})), FIX, DONE)
    async with new_editor(capabilities=STREAM) as editor:
        added = [{"uri": other.as_uri(), "name": "other"}]
        editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": added, "removed": []}})
        change = await ended(editor)
        await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert editor.buffers[(other / "cart.py").as_uri()] == "far = 2\n"
        assert NEW in editor.buffers[editor.uri("cart.py")]


async def test_an_empty_folder(new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path) -> None:
    for path in workspace.iterdir():
        path.unlink()
    calls: list[tuple[str, Any]] = [
        ("list", {}),
        ("search", {"pattern": "x"}),
        ("write", {"path": "a.py", "content": "x = 1\n"}),
    ]
    endpoint.add(answer_calls(*calls), DONE)
    async with new_editor(capabilities=STREAM, settings={"check": "test -f a.py"}) as editor:
        change = await ended(editor)
        assert change["check"]["status"] == "passed"
        assert heard(endpoint)[:2] == ["(empty)", "No matches."]
        await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert editor.buffers[editor.uri("a.py")] == "x = 1\n"


# --- clients that do not answer --------------------------------------------------------------------------------------


async def test_a_question_that_nobody_answers_keeps_its_own_task_waiting_alone(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    (workspace / "Makefile").write_text("test:\n\ttrue\n")
    endpoint.add(FIX, DONE)
    async with new_editor(capabilities=NEOVIM_11, settings={"check": ""}) as editor:
        started = await editor.command("kaaj.start", {"prompt": "First."})
        await editor.eventually(lambda: editor.questions, "the question about the check")
        endpoint.add(answer("The second is done."))
        await editor.command("kaaj.start", {"prompt": "Second."})
        await editor.eventually(lambda: any("second" in row["message"] for row in editor.messages))
        result = await editor.command("kaaj.cancel", {"task": started["task"]})
        assert result["cancelled"] is True
        await editor.eventually(lambda: editor.withdrawn, "the question is withdrawn")


async def test_the_server_ends_though_an_edit_is_not_answered(
    new_editor: NewEditor, endpoint: ScriptedEndpoint, workspace: Path
) -> None:
    endpoint.add(FIX, DONE)
    before = everything(workspace)
    async with new_editor(capabilities=STREAM, obeys="never answers") as editor:
        change = await ended(editor)
        _, answered = editor.send_request(
            "workspace/executeCommand",
            {"command": "kaaj.accept", "arguments": [{"change": change["id"], "digest": change["digest"]}]},
        )
        await editor.eventually(lambda: editor.edits)
        assert (await editor.command("kaaj.snapshot", {}))["changes"][0]["state"] == "proposed"
        assert await editor.shut_down() == 0
        if answered.done():
            answered.exception()
    assert everything(workspace) == before
    async with new_editor(capabilities=STREAM) as editor:
        drawn = await editor.command("kaaj.snapshot", {})
        assert drawn["changes"][0]["state"] == "proposed", "kept for the next start"
        result = await editor.command("kaaj.accept", {"change": change["id"], "digest": change["digest"]})
        assert result["state"] == "applied"


# --- requests of the protocol's own -----------------------------------------------------------------------------------


ODD_CAPABILITIES: list[Any] = [
    {"general": {"positionEncodings": [{}, 5]}},
    {"workspace": {"workspaceEdit": {"resourceOperations": [{}, []]}}},
    {"experimental": {"kaaj": 5}},
    {"window": [], "workspace": 5, "textDocument": "x", "general": None},
]


@pytest.mark.parametrize("capabilities", ODD_CAPABILITIES)
async def test_capabilities_that_make_no_sense(new_editor: NewEditor, capabilities: Any) -> None:
    editor = new_editor()
    await editor.launch()
    try:
        odd: Any = {"processId": "x", "workspaceFolders": 5, "rootUri": 5, "rootPath": 5, "initializationOptions": [1]}
        told = await editor.request("initialize", odd | {"capabilities": capabilities})
        assert told["capabilities"]["positionEncoding"] == "utf-16"
        editor.notify("initialized", {})
        assert (await editor.command("kaaj.snapshot", {}))["sessions"] == []
    finally:
        await editor.kill()


async def test_questions_about_no_document(new_editor: NewEditor) -> None:
    async with new_editor(capabilities=STREAM) as editor:
        document = {"uri": await editor.open("cart.py")}
        place: Any = {"start": {"line": 0}, "end": 5}
        wrong: list[tuple[Any, str]] = [
            (None, "textDocument.uri"),
            ([], "textDocument.uri"),
            ({"textDocument": {"uri": 5}}, "textDocument.uri"),
            ({"textDocument": document}, "range.start.line"),
            ({"textDocument": document, "range": place}, "range.start.character"),
        ]
        for params, field in wrong:
            for method in ("textDocument/codeAction", "textDocument/codeLens"):
                if method.endswith("codeLens") and field.startswith("range"):
                    continue
                with pytest.raises(RpcError) as refused:
                    await editor.request(method, params)
                assert (refused.value.code, refused.value.data) == (-32602, {"field": field})
        odd: Any = {"textDocument": document, "range": PLACE, "context": {"diagnostics": [7, 5], "only": 5}}
        assert await editor.request("textDocument/codeAction", odd)
        assert await editor.request("textDocument/codeAction", odd | {"context": 5})
        ours: list[Any] = [None, [], {"title": "x", "data": {"kaaj": 5}}]
        for action in ours:
            assert await editor.request("codeAction/resolve", action) == action
        with pytest.raises(RpcError) as refused:
            await editor.request("codeAction/resolve", {"title": "x", "data": {"kaaj": {"prompt": 5}}})
        assert refused.value.code == -32602
        assert not any("Traceback" in row for row in editor.stderr)
