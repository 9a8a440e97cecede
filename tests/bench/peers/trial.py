"""Each agent on one small task with a scripted model: can it be started, does it edit, is it counted?"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tests.bench.peers.agents import Agent
from tests.bench.peers.endpoint import remote
from tests.bench.peers.runs import run_one

from kaaj_agent.testing import Answer, ScriptedEndpoint, answer, answer_calls
from kaaj_server.cli.eval_task import read_task

_SECONDS: Final = 180.0
_AFTER: Final = "def double(x):\n    return x * 2\n"
_COMMAND: Final = "sed -i 's/x . 3/x * 2/' a.py"
_SCRIPT: Final = "python3 -c \"import pathlib as p; f = p.Path('a.py'); f.write_text(f.read_text().replace('3', '2'))\""
_TASK: Final = """\
prompt = "In a.py, double() must double."
check = "python3 -c 'from a import double; assert double(2) == 4'"
timeout = 180
"""


def reply(body: Any) -> Any:
    """The right next step, in the form that the asking agent wants."""
    messages = body["messages"]
    offered: list[Any] = body.get("tools") or []
    tools = {str(tool["function"]["name"]) for tool in offered}
    answered = any(message["role"] == "tool" for message in messages)
    if "run_shell_command" in tools:  # Qwen Code
        call = ("run_shell_command", {"command": _SCRIPT, "is_background": False, "description": "mend it"})
        return answer("It doubles now.") if answered else answer_calls(call)
    if "edit" in tools:  # Kaaj
        call = ("edit", {"path": "a.py", "old": "x * 3", "new": "x * 2"})
        return answer("It doubles now.") if answered else answer_calls(call)
    if "mswea_bash_command" in str(messages[0]["content"]):  # mini-swe-agent
        first = all(message["role"] != "assistant" for message in messages)
        command = _COMMAND if first else "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
        return whole(f"THOUGHT: so.\n\n```mswea_bash_command\n{command}\n```\n", len(str(messages)) // 4)
    return answer(f"So:\n\na.py\n```\n{_AFTER}```\n")  # Aider, whole files


def whole(text: str, asked: int) -> Answer:
    """An answer that is no stream: mini-swe-agent wants none."""
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": asked, "completion_tokens": len(text) // 4, "total_tokens": asked + len(text) // 4}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    reply = {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]}
    return Answer(body=json.dumps({**reply, "usage": usage}))


def try_all(agents: Sequence[Agent]) -> int:
    """How many did not solve it, or were not counted."""
    return sum(not asyncio.run(_try(agent)) for agent in agents)


async def _try(agent: Agent) -> bool:
    with tempfile.TemporaryDirectory(prefix="kaaj-peers-try-") as place:
        folder = Path(place).resolve() / "tasks" / "double"
        (folder / "workspace").mkdir(parents=True)
        (folder / "task.toml").write_text(_TASK)
        (folder / "workspace" / "a.py").write_text("def double(x):\n    return x * 3\n")
        logs = Path(place, "logs")
        async with ScriptedEndpoint(last=reply) as scripted, remote(scripted.base_url, "scripted") as endpoint:
            line = await run_one(agent, read_task(folder, "double"), endpoint, logs, _SECONDS)
        good = line.solved and line.requests > 0 and line.prompt_tokens > 0 and line.status == "done"
        print(
            f"{'works' if good else 'FAILS'}  {agent.name} {agent.version}: {line.status}, "
            f"{line.requests} requests, {line.prompt_tokens} + {line.completion_tokens} tokens, {line.seconds:.1f} s"
        )
        if not good:
            for log in logs.rglob("*.log"):
                print(log.read_text("utf-8", "replace")[-2000:] + os.linesep + line.error)
        return good
