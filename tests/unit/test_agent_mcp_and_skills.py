"""MCP servers and skills: announced in a line, loaded when used, asked for, and never a workspace's to allow."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from kaaj_agent import events as ev
from kaaj_agent.mcp_servers import ALLOW, REFUSE
from kaaj_agent.settings import AgentSettings, McpServer, config_folder
from kaaj_agent.skills import LINE_MAX, Skills
from kaaj_agent.testing import call
from kaaj_agent.testing_desk import Desk, assert_legal, assert_whole, desk

SERVER = """\
import os
from mcp.server import MCPServer

server = MCPServer("shop")


@server.tool()
def price(item: str, count: int = 1) -> str:
    \"\"\"What so many of an item cost.\"\"\"
    if item == "ghost":
        raise ValueError("no such item")
    if item == "crash":
        os._exit(3)
    return f"{item}: {count * 7} {os.environ.get('SHOP')} {os.environ.get('KAAJ_API_KEY')} {os.getcwd()}"


server.run("stdio")
"""


def shop(tmp_path: Path, *allow: str) -> McpServer:
    script = tmp_path / "shop_server.py"
    script.write_text(SERVER)
    return McpServer("shop", sys.executable, (str(script),), (("SHOP", "open"),), allow=allow)


def answers(d: Desk) -> list[str]:
    return [m.content for m in d.session().messages if m.role == "tool"]


async def test_a_servers_tools_are_listed_when_asked_for_and_each_call_is_asked_for(tmp_path: Path) -> None:
    asks = [
        call("read", path="mcp:shop"),
        call("run", command='mcp:shop.price {"item": "tea", "count": 3}'),
        call("run", command='mcp:shop.price {"item": "tea"}'),
        call("run", command='mcp:shop.price {"item": "ghost"}'),
        call("run", command="mcp:shop.price {"),
        call("run", command="mcp:other.price {}"),
        call("read", path="mcp:other"),
    ]
    async with desk(tmp_path, *asks, "Done.", mcp=(shop(tmp_path),)) as d:
        d.answers.answers = [ALLOW, REFUSE, ALLOW]
        await d.run()
        assert d.heard(0)[1].content.count("MCP servers (shop)") == 1
        listed, three, refused, ghost, torn, other, nobody = answers(d)
        assert "price(item: string, count?: integer): What so many of an item cost." in listed
        assert three.startswith("tea: 21 open None ")
        assert str(d.root) not in three  # not started in the workspace
        assert "did not allow" in refused
        assert "Error executing" in ghost
        assert "mcp:SERVER.TOOL" in torn
        assert "The servers are: shop" in other
        assert nobody.startswith("There is no mcp:other.")
        assert [q.title for q in d.answers.asked] == ["Let shop do `price`?"] * 3
        assert '"count": 3' in d.answers.asked[0].detail
        assert_whole(d)


async def test_what_the_user_allows_is_not_asked_for_and_a_crash_is_an_answer(tmp_path: Path) -> None:
    crash = call("run", command='mcp:shop.price {"item": "crash"}')
    again = call("run", command='mcp:shop.price {"item": "tea"}')
    async with desk(tmp_path, crash, again, "Done.", mcp=(shop(tmp_path, "price"),)) as d:
        await d.run()
        assert d.answers.asked == []
        assert "shop failed" in answers(d)[0]
        assert answers(d)[1].startswith("tea: 7 open")


async def test_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    broken = McpServer("broken", str(tmp_path / "nothing"))
    async with desk(tmp_path, call("read", path="mcp:broken"), "Done.", mcp=(broken,)) as d:
        await d.run()
        assert "could not be started" in answers(d)[0]


async def test_an_untrusted_workspace_gets_no_server_and_a_plan_calls_none(tmp_path: Path) -> None:
    run = call("run", command='mcp:shop.price {"item": "tea"}')
    async with desk(tmp_path, run, "Done.", mcp=(shop(tmp_path, "*"),), restricted=True) as d:
        await d.run()
        assert "MCP" not in d.heard(0)[1].content
        assert "`run` is off" in answers(d)[0]
    async with desk(tmp_path, run, "Done.", mcp=(shop(tmp_path, "*"),)) as d:
        await d.run(mode="plan")
        assert "`run` is off" in answers(d)[0]


WEB: Final = """\
import sys
import uvicorn
from mcp.server import MCPServer

server = MCPServer("web")
KEY = "Bearer " + "tea-8431-" + "time"


@server.tool()
def seen() -> str:
    return f"You sent {KEY}."


inner = server.streamable_http_app()


async def app(scope, receive, send):
    sent = dict(scope.get("headers", ()))
    if scope["type"] == "http" and (sent.get(b"authorization") or b"").decode() != KEY:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await inner(scope, receive, send)


async def main():
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0.01)
    print(running.servers[0].sockets[0].getsockname()[1], flush=True)
    await task


import asyncio

asyncio.run(main())
"""


@asynccontextmanager
async def web(tmp_path: Path) -> AsyncGenerator[str]:
    """The address of a server that answers by HTTP, to those who bring its key."""
    script = tmp_path / "web_server.py"
    script.write_text(WEB)
    process = await asyncio.create_subprocess_exec(sys.executable, str(script), stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/mcp"
    finally:
        process.kill()
        await process.wait()


async def test_a_server_by_http_gets_its_headers_and_nobody_reads_them(tmp_path: Path) -> None:
    asks = [call("run", command="mcp:web.seen {}"), call("read", path="mcp:bare")]
    async with web(tmp_path) as url:
        given = McpServer("web", url=url, allow=("*",), headers=(("Authorization", "Bearer tea-8431-time"),))
        async with desk(tmp_path, *asks, "Done.", mcp=(given, McpServer("bare", url=url))) as d:
            await d.run()
            said, bare = answers(d)
            assert said == "You sent [secret withheld]."
            assert "could not be started" in bare
            assert "tea-8431" not in "".join(str(event) for event in d.events)
            assert_legal(d.session().messages)


def test_what_may_hold_keys_is_not_shown() -> None:
    server = McpServer(
        "shop", env=(("TOKEN", "secret-token"),), url="https://key@example.org", headers=(("X", "secret-key"),)
    )
    assert "secret" not in repr(AgentSettings(mcp=(server,)))
    assert "key" not in repr(server)


def skill(place: Path, name: str, text: str) -> None:
    (place / name).mkdir(parents=True)
    (place / name / "SKILL.md").write_text(text)


async def test_skills_are_announced_by_a_line_and_read_when_needed(tmp_path: Path) -> None:
    own, theirs = tmp_path / "config" / "skills", tmp_path / "shop" / ".kaaj" / "skills"
    skill(own, "release", "---\nname: release\ndescription: How we release.\n---\n# Release\nTag, then NEEDLE-OWN.\n")
    skill(own, "both", "Mine.\nMine, whole.\n")
    skill(theirs, "both", "Theirs.\n")
    skill(theirs, "style", "# Style\n\nWrite short lines.\nNEEDLE-THEIRS\n")
    (own / "release" / "more.md").write_text("NEEDLE-MORE\n")
    (own / "release" / "out.md").symlink_to(tmp_path / "secret.md")
    (tmp_path / "secret.md").write_text("SECRET\n")
    names = ("release", "style", "both", "release/more.md", "release/out.md", "release/../../../secret.md", "none")
    reads = [call("read", path=f"skill:{name}") for name in names]
    async with desk(tmp_path, reads, "Done.", "Again.", config_dir=tmp_path / "config") as d:
        await d.run()
        turn = d.heard(0)[1].content
        assert "- release: How we release.\n" in turn
        assert "- style: Write short lines. (the workspace's)" in turn
        assert "- both: Mine.\n" in turn
        assert "NEEDLE" not in turn
        release, style, both, more, *gone = answers(d)
        assert "NEEDLE-OWN" in release
        assert "NEEDLE-THEIRS" in style
        assert "workspace's, not the user's" in style
        assert "Mine, whole." in both
        assert "NEEDLE-MORE" in more
        assert gone == [f"There is no skill:{name}." for name in names[4:]]
        await d.run("More", session=d.session().id)
        assert sum("How we release." in m.content for m in d.heard() if m.role == "user") == 1  # told once
        assert_legal(d.session().messages)
        assert not [e for e in d.events if isinstance(e.body, ev.ApprovalAsked)]


async def test_an_untrusted_workspaces_skills_are_not_read(tmp_path: Path) -> None:
    skill(tmp_path / "shop" / ".kaaj" / "skills", "style", "Theirs.\n")
    skill(tmp_path / "config" / "skills", "mine", "Mine.\n")
    async with desk(tmp_path, "Done.", config_dir=tmp_path / "config", restricted=True) as d:
        await d.run()
        assert "- mine: Mine." in d.heard()[1].content
        assert "style" not in d.heard()[1].content


async def test_a_workspaces_skills_stay_within_it(tmp_path: Path) -> None:
    skill(tmp_path / "outside", "style", "Theirs.\n")
    root = tmp_path / "shop"
    (root / ".kaaj" / "skills").mkdir(parents=True)
    (root / ".kaaj" / "skills" / "style").symlink_to(tmp_path / "outside" / "style")
    (root / ".kaaj" / "skills" / "bad name").mkdir()
    assert (await Skills.find(None, (root,))).known == ()


async def test_a_skills_line_is_short(tmp_path: Path) -> None:
    skill(tmp_path / "skills", "long", "---\ndescription: >\n  " + "many words " * 60 + "\n---\n")
    (found,) = (await Skills.find(tmp_path, ())).known
    assert len(found.line) == LINE_MAX
    assert found.line.startswith("many words many")


def test_where_the_user_configures_by_files() -> None:
    assert config_folder({"KAAJ_CONFIG_DIR": "/a", "HOME": "/h"}) == Path("/a")
    assert config_folder({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/kaaj")
    assert config_folder({"HOME": "/h"}) == Path("/h/.config/kaaj")
    assert config_folder({}) is None
