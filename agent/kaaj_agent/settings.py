"""The user's settings as the agent needs them. They come from the editor or the environment, never from a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kaaj_agent.ports import Usage
from kaaj_agent.redaction import WITHHELD


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in any currency: of prompts, of what of them came from a cache, of replies."""

    input: float
    cached: float
    output: float

    def cost(self, usage: Usage) -> float:
        """What these tokens cost."""
        fresh = max(0, usage.prompt - usage.cached)
        return (fresh * self.input + usage.cached * self.cached + usage.completion * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class McpServer:
    """A server of other tools: a `command` to start with `args` and `env`, or a `url` that is asked with `headers`.

    `allow` names its tools that may run without a question; `*` means all of them.
    """

    name: str
    command: str = ""
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    url: str = ""
    allow: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        """Without the environment, the address and the headers, which may hold keys."""
        return f"McpServer({self.name!r})"


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """`base_urls` are tried in order. Limits are per task: steps are requests to the model, `max_tokens` counts
    prompt and completion tokens that were not cached, `max_seconds` is wall time without waits on the person.
    `guided_seconds`: how long the guided loop goes on trying; `guided_item_seconds`: for one item of its list.

    `check`: the check command; empty finds one; `none` runs none. `window` overrides the context window, in tokens.
    `compact_at`: the share of the window at which the conversation is condensed.
    `embedded_model`: the model to run on this machine where no endpoint is there, and beside one for repairs if it is
    here already; empty: never one.
    `network`: `ask` offers it for commands that want it.
    `restricted`: the workspace is not trusted, so tasks only plan, no rule file is read, nothing runs or is applied.
    `config_dir`: the user's own folder for what is configured by files, such as skills.
    `hide_secrets`: whether `.env`, keys and their like are withheld from the model; `secret_files` are further names of
    such files (`*` stands for anything), those with `!` in front are taken off.
    """

    base_urls: tuple[str, ...] = ()
    api_key: str = ""
    model: str = ""
    embedded_model: str = "qwen2.5-coder-1.5b"
    mode: Literal["plan", "ask", "auto"] = "ask"
    check: str = ""
    check_timeout: float = 300.0
    command_timeout: float = 120.0
    max_steps: int = 60
    max_tokens: int = 2_000_000
    max_seconds: float = 1_800.0
    guided_seconds: float = 480.0
    guided_item_seconds: float = 240.0
    window: int | None = None
    compact_at: float = 0.75
    sandbox: Literal["auto", "off", "required"] = "auto"
    network: Literal["off", "ask"] = "off"
    loop: Literal["auto", "agentic", "guided"] = "auto"
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    tool_calls: Literal["auto", "native", "xml", "hermes"] = "auto"
    seed: int | None = None
    hide_secrets: bool = True
    secret_files: tuple[str, ...] = ()
    prices: Prices | None = None
    restricted: bool = False
    config_dir: Path | None = None
    mcp: tuple[McpServer, ...] = ()

    def __post_init__(self) -> None:
        """No key is taken in without being known as one: from here on it is in no log, event or prompt."""
        WITHHELD.learn(self.api_key)
        for server in self.mcp:
            WITHHELD.learn_environment(dict(server.env))
            for _name, value in server.headers:  # `Bearer KEY` as well as the key alone
                WITHHELD.learn(value, *value.split())

    def __repr__(self) -> str:
        """Without the key: settings end up in logs."""
        return f"AgentSettings(base_urls={self.base_urls}, model={self.model!r}, loop={self.loop!r})"

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> AgentSettings:
        """What the environment says: `KAAJ_*`, with the `OPENAI_*` names as a fallback."""
        urls = environ.get("KAAJ_BASE_URL") or environ.get("OPENAI_BASE_URL") or ""
        return cls(
            base_urls=tuple(url.strip() for url in urls.split(",") if url.strip()),
            api_key=environ.get("KAAJ_API_KEY") or environ.get("OPENAI_API_KEY") or "",
            model=environ.get("KAAJ_MODEL", ""),
            config_dir=config_folder(environ),
        )


def config_folder(environ: Mapping[str, str]) -> Path | None:
    """Where the user configures Kaaj by files: `KAAJ_CONFIG_DIR`, else `kaaj` in the usual place, if there is one."""
    if given := environ.get("KAAJ_CONFIG_DIR"):
        return Path(given)
    if base := environ.get("XDG_CONFIG_HOME") or environ.get("APPDATA"):
        return Path(base) / "kaaj"
    home = environ.get("HOME")
    return Path(home) / ".config" / "kaaj" if home else None
