"""How each agent is started on a task: its own defaults, its telemetry off, and the same words for all.

Departures from a peer's defaults, each in the peer's favour or without effect on its work: no update checks, no
commits (Aider would ask the model to word them), one window size told to all that ask for one, no limit on
the wait for a first token, and for mini-swe-agent its own configuration for models that call no tools.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.peers.installs import PEERS

from kaaj_agent.sandbox import clean_environment
from kaaj_server.cli.eval_task import EvalTask

_OUTPUT_TOKENS: Final = 4096
"""The longest reply that agents are told of which divide the window up beforehand."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run. `home` is an empty folder of the run's own; `state` is where Kaaj meets the endpoint's door.

    `base_url` ends in /v1; `remote` tells that it is no embedded server. `window` counts tokens.
    """

    task: EvalTask
    workspace: Path
    home: Path
    state: Path
    base_url: str
    key: str = field(repr=False)
    model: str
    window: int
    remote: bool = False

    def words(self) -> str:
        """The prompt, with the check for those that have no other way to be told."""
        if not self.task.agent_check:
            return self.task.prompt
        return f"{self.task.prompt}\n\nWhen it is done, this command must succeed: {self.task.agent_check}"


@dataclass(frozen=True, slots=True)
class Start:
    """A program and what it is given."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    stdin: str = ""


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent under test. `boxed`: it runs commands without asking, and is confined for that. `git`: it wants one."""

    name: str
    version: str
    start: Callable[[Job], Start]
    boxed: bool = True
    git: bool = False


def _environ(job: Job, extra: Mapping[str, str]) -> dict[str, str]:
    """What every peer may know, and a home of its own."""
    return {
        **clean_environment(os.environ),
        "HOME": str(job.home),
        "XDG_CONFIG_HOME": str(job.home / "config"),
        "XDG_CACHE_HOME": str(job.home / "cache"),
        "XDG_DATA_HOME": str(job.home / "data"),
        "DO_NOT_TRACK": "1",
        "LITELLM_TELEMETRY": "False",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "OPENAI_API_KEY": job.key,
        **extra,
    }


def kaaj(job: Job) -> Start:
    argv = [sys.executable, "-m", "kaaj_server", "run", "--json", "--yes", "--mode", job.task.mode]
    argv += ["--dir", str(job.workspace), "--model", job.model]
    if job.task.agent_check:
        argv += ["--check", job.task.agent_check]
    environ = {
        **clean_environment(os.environ),
        "KAAJ_STATE_DIR": str(job.state),
        "KAAJ_CONFIG_DIR": str(job.home),
    }
    if job.remote:
        argv += ["--base-url", job.base_url]
        environ["KAAJ_API_KEY"] = job.key
    return Start((*argv, "-"), environ, job.task.prompt)


def aider(job: Job) -> Start:
    """Aider's own choice for an unknown model is whole files, and no map: without one it sees nothing."""
    name = f"openai/{job.model}"
    facts = {"max_input_tokens": job.window, "max_output_tokens": _OUTPUT_TOKENS, "max_tokens": _OUTPUT_TOKENS}
    prices = {"input_cost_per_token": 0, "output_cost_per_token": 0, "litellm_provider": "openai", "mode": "chat"}
    metadata = job.home / "models.json"
    metadata.write_text(json.dumps({name: {**facts, **prices}}), "utf-8")
    argv = [
        str(PEERS["aider"].executable()), "--model", name, "--weak-model", name,
        "--model-metadata-file", str(metadata), "--openai-api-base", job.base_url,
        "--map-tokens", "1024", "--yes-always", "--no-auto-commits", "--no-dirty-commits", "--no-gitignore",
        "--no-check-update", "--no-show-release-notes", "--no-show-model-warnings", "--analytics-disable",
        "--no-pretty", "--no-fancy-input", "--no-detect-urls", "--disable-playwright",
        "--env-file", str(job.home / "none.env"), "--input-history-file", str(job.home / "input"),
        "--chat-history-file", str(job.home / "chat"), "--message", job.task.prompt,
    ]  # fmt: skip
    if job.task.agent_check:
        argv += ["--test-cmd", job.task.agent_check, "--auto-test"]
    return Start(tuple(argv), _environ(job, {"AIDER_ANALYTICS": "false"}))


def qwen_code(job: Job) -> Start:
    settings = {
        "general": {"enableAutoUpdate": False, "disableAutoUpdate": True},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
        "security": {"auth": {"selectedType": "openai"}},
        "model": {
            "name": job.model,
            "generationConfig": {
                "contextWindowSize": job.window,
                "samplingParams": {"max_tokens": _OUTPUT_TOKENS},
                "timeout": 600_000,
            },
        },
    }
    place = job.home / ".qwen"
    place.mkdir()
    (place / "settings.json").write_text(json.dumps(settings), "utf-8")
    told = {
        "OPENAI_BASE_URL": job.base_url,
        "OPENAI_MODEL": job.model,
        "QWEN_STREAM_IDLE_TIMEOUT_MS": "0",  # a processor may read its first prompt for longer than its 240 s
    }
    argv = (
        str(PEERS["qwen-code"].executable()), "--auth-type", "openai", "--model", job.model,
        "--openai-base-url", job.base_url, "--openai-api-key", job.key,
        "--approval-mode", "yolo", "--output-format", "stream-json", "--prompt", job.words(),
    )  # fmt: skip
    return Start(argv, _environ(job, told))


def mini(job: Job) -> Start:
    argv = (
        str(PEERS["mini-swe-agent"].executable()), "--model", f"openai/{job.model}", "--task", job.words(), "--yolo",
        "--cost-limit", "0", "--exit-immediately", "--output", str(job.home / "trajectory.json"),
        "--model-class", "litellm_textbased", "--config", "mini_textbased.yaml",
        "--config", f"model.model_kwargs.api_base={job.base_url}",
    )  # fmt: skip
    quiet = {
        "MSWEA_CONFIGURED": "true",
        "MSWEA_SILENT_STARTUP": "1",
        "MSWEA_COST_TRACKING": "ignore_errors",
        "MSWEA_GLOBAL_CONFIG_DIR": str(job.home / "mini"),
    }
    return Start(argv, _environ(job, quiet))


def _kaaj_version() -> str:
    from importlib.metadata import version

    return version("kaaj")


AGENTS: Final[Mapping[str, Agent]] = {
    agent.name: agent
    for agent in (
        Agent("kaaj", _kaaj_version(), kaaj, boxed=False),
        Agent("aider", PEERS["aider"].version, aider, git=True),
        Agent("qwen-code", PEERS["qwen-code"].version, qwen_code),
        Agent("mini-swe-agent", PEERS["mini-swe-agent"].version, mini),
    )
}
