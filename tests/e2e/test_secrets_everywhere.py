"""Keys and secret files are planted, tasks are run in every front end, and all that Kaaj ever wrote is searched."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls, answer_error
from kaaj_server.testing import NEOVIM_11, FakeEditor

KEY = "planted-endpoint-key/4711+x"
SETTING_KEY = "planted-setting-key-4712"
VARIABLE = "planted-variable-4713"
FILE_SECRET = "planted-file-secret-4714"
TOKEN = "ghp_" + "Planted4715" * 4
PEM = "-----BEGIN OPENSSH PRIVATE KEY-----\n" + "plantedB64line4716\n" * 5 + "-----END OPENSSH PRIVATE KEY-----\n"
PLANTED = (KEY, SETTING_KEY, VARIABLE, FILE_SECRET, TOKEN, "plantedB64line4716")


def spellings(secret: str) -> set[bytes]:
    """As it is, in an address, in JSON, in Base64 at any offset."""
    forms = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
    coded = {base64.b64encode(b"x" * pad + secret.encode())[4 if pad else 0 : -4].decode() for pad in range(3)}
    return {form.encode() for form in forms | coded}


def found_in(data: bytes) -> list[str]:
    """What stands around each secret that is there."""
    places = [data.find(form) for secret in PLANTED for form in spellings(secret)]
    return [data[max(0, at - 80) : at + 80].decode(errors="replace") for at in places if at >= 0]


def plant(root: Path) -> None:
    (root / ".git").mkdir(exist_ok=True)
    (root / ".git" / "config").write_text(f'[remote "origin"]\n\turl = https://me:{FILE_SECRET}@example.org/x.git\n')
    (root / "sub").mkdir(exist_ok=True)
    for name in (".env", "sub/.env.production", "deploy.key", "terraform.tfstate"):
        (root / name).write_text(f"PASSWORD={FILE_SECRET}\nTOKEN={TOKEN}\n")
    (root / "id_rsa").write_text(PEM)
    (root / "AGENTS.md").symlink_to(".env")
    (root / "CLAUDE.md").symlink_to(".git/config")
    (root / "config.py").write_text(f'TOKEN = "{TOKEN}"\nCERT = """{PEM}"""\nRATE = 1\nDEPLOY = "{VARIABLE}"\n')
    (root / "leak.sh").write_text("cat .env id_rsa .git/config config.py sub/.env.production; env; set\n")


def curious() -> list[Any]:
    """A model that looks for keys everywhere, says them again, and then does its work."""
    looks: list[tuple[str, Any]] = [
        ("read", {"path": ".env"}),
        ("read", {"path": "id_rsa"}),
        ("read", {"path": "AGENTS.md"}),
        ("read", {"path": ".git/config"}),
        ("read", {"path": "config.py"}),
        ("search", {"pattern": "PASSWORD|TOKEN|planted"}),
        ("list", {}),
        ("run", {"command": "sh leak.sh"}),
        ("run", {"command": f"echo {TOKEN}; curl -H 'Authorization: Bearer {KEY}' http://127.0.0.1:9"}),
        ("explore", {"question": "Where are keys?"}),
    ]
    fix = ("edit", {"path": "cart.py", "old": "result = price", "new": "result += price"})
    told = f"The key is {KEY} and the token {TOKEN}."
    ends = answer_calls(fix, text=told), answer(told, chunk=7)
    return [*(answer_calls(one) for one in looks), answer("In config.py."), *ends]


def everything_below(*places: Path) -> dict[str, bytes]:
    files = [path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
    return {str(path): path.read_bytes() + str(path).encode() for path in files}


def prompts(endpoint: ScriptedEndpoint) -> bytes:
    bodies: list[Any] = []
    for prompt in endpoint.prompts:
        for message in prompt["messages"]:
            if message["role"] != "assistant":  # those are the model's own words, which it has said already
                bodies.append(message)
    return json.dumps(bodies, ensure_ascii=False).encode()


@pytest.fixture
def planted(workspace: Path, env: dict[str, str]) -> dict[str, str]:
    plant(workspace)
    return env | {"KAAJ_API_KEY": KEY, "DEPLOY_TOKEN": VARIABLE, "KAAJ_LOG": "debug"}


async def kaaj(root: Path, env: dict[str, str], *arguments: str) -> bytes:
    """The command's stdout and stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kaaj_server", *arguments, cwd=root, env=env, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert out + err
    return out + err


@pytest.mark.parametrize("way", [("--json",), (), ("--yes", "--check", "sh leak.sh; false"), ("--mode", "auto")])
async def test_a_task_on_the_command_line_tells_and_keeps_no_secret(
    workspace: Path, planted: dict[str, str], endpoint: ScriptedEndpoint, tmp_path: Path, way: tuple[str, ...]
) -> None:
    endpoint.add(*curious())
    prompt = f"Mend the cart. My key is {KEY}, the token {TOKEN}."
    told = await kaaj(workspace, planted, "run", prompt, *way)
    assert endpoint.prompts
    assert b"RATE = 1" in prompts(endpoint), "it has read what it may"
    assert found_in(told) == []
    assert found_in(prompts(endpoint)) == []
    kept = everything_below(tmp_path / "state", tmp_path / "home") if (tmp_path / "home").exists() else {}
    kept |= everything_below(tmp_path / "state")
    assert kept
    assert {name: found for name, data in kept.items() if (found := found_in(data))} == {}


@pytest.mark.parametrize("error", [401, 403, 429, 500])
async def test_an_endpoint_that_says_the_key_back_is_not_quoted(
    workspace: Path, planted: dict[str, str], tmp_path: Path, error: int
) -> None:
    refusal = answer_error(
        error, f"Incorrect API key provided: {KEY}. Authorization: Bearer {KEY}", headers={"retry-after": "0"}
    )
    async with ScriptedEndpoint(last=refusal) as endpoint:
        env = planted | {"KAAJ_BASE_URL": endpoint.base_url}
        told = await kaaj(workspace, env, "run", "Mend it.", "--json")
        assert endpoint.received
    assert found_in(told) == []
    assert {name for name, data in everything_below(tmp_path / "state").items() if found_in(data)} == set()


async def test_a_task_in_an_editor_tells_and_keeps_no_secret(
    workspace: Path, planted: dict[str, str], endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    endpoint.add(*curious())
    settings = {"check": "sh leak.sh", "apiKey": SETTING_KEY}
    editor = FakeEditor(workspace, NEOVIM_11, planted, settings, None, "applies", lambda titles: titles[0], True)
    async with editor:
        await editor.open("cart.py")
        await editor.open("config.py")
        await editor.command("kaaj.start", {"prompt": f"Mend it, the key is {KEY}.", "uri": editor.uri("cart.py")})
        await editor.eventually(lambda: any("Apply" in json.dumps(one) for one in editor.questions), wait=60)
        told = json.dumps([editor.questions, editor.messages, editor.progress, editor.shown]).encode()
        assert await editor.shut_down() == 0
    said = "\n".join(editor.stderr).encode()
    assert found_in(told + said) == []
    assert found_in(prompts(endpoint)) == []
    assert any(request.headers.get("authorization") == f"Bearer {SETTING_KEY}" for request in endpoint.received)
    kept = everything_below(tmp_path / "state")
    assert kept
    assert {name: found for name, data in kept.items() if (found := found_in(data))} == {}


async def test_doctor_tells_no_secret(workspace: Path, planted: dict[str, str]) -> None:
    assert found_in(await kaaj(workspace, planted, "doctor")) == []


@pytest.mark.skipif(os.name != "posix", reason="modes of POSIX")
async def test_what_is_kept_is_its_owners_alone(
    workspace: Path, planted: dict[str, str], endpoint: ScriptedEndpoint, tmp_path: Path
) -> None:
    endpoint.add(*curious())
    await kaaj(workspace, planted, "run", "Mend the cart.", "--yes")
    state = tmp_path / "state"
    assert state.stat().st_mode & 0o077 == 0
