"""Settings come from the person alone, and a wrong one never takes the others with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kaaj_agent.settings import AgentSettings
from kaaj_server.lsp.settings import EditorSettings

ENVIRON = {"KAAJ_BASE_URL": "http://env/v1", "KAAJ_API_KEY": "env-key", "KAAJ_MODEL": "env-model"}


@dataclass
class Wired:
    answer: Any = None
    options: Any = None
    configured: list[AgentSettings] = field(default_factory=list[AgentSettings])
    said: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.owner = EditorSettings(ENVIRON, self.options, self.ask, self.configure, self.say)

    async def ask(self) -> Any:
        return self.answer

    async def configure(self, settings: AgentSettings) -> None:
        self.configured.append(settings)

    def say(self, level: str, text: str) -> None:
        self.said.append(f"{level}: {text}")


def test_the_environment_holds_where_nothing_is_set() -> None:
    settings = Wired().owner.current
    assert settings.base_urls == ("http://env/v1",)
    assert (settings.api_key, settings.model) == ("env-key", "env-model")


def test_options_may_hold_the_section_or_be_it() -> None:
    for options in ({"kaaj": {"mode": "auto"}}, {"mode": "auto", "token": "t"}):
        wired = Wired(options=options)
        assert wired.owner.current.mode == "auto"
        assert wired.said == []
    odd: list[Any] = [[], "x", 3, {"kaaj": 4, "mode": None}]
    for nonsense in odd:
        assert Wired(options=nonsense).owner.current.mode == "ask"


async def test_what_the_client_says_stands_over_the_options() -> None:
    wired = Wired(options={"mode": "auto", "model": "o"})
    await wired.owner.take({"mode": "plan", "baseUrl": ["http://a/v1", "http://b/v1"], "model": None})
    assert wired.configured[-1].mode == "plan"
    assert wired.configured[-1].base_urls == ("http://a/v1", "http://b/v1")
    assert wired.configured[-1].model == "o"
    await wired.owner.take({"mode": "plan", "baseUrl": ["http://a/v1", "http://b/v1"]})
    assert len(wired.configured) == 1, "nothing new, nothing done"
    await wired.owner.take(None)
    assert wired.owner.current.mode == "auto"


async def test_a_change_is_pushed_or_pulled() -> None:
    wired = Wired()
    await wired.owner.changed({"settings": {"kaaj": {"mode": "auto"}}})
    wired.answer = {"mode": "plan"}
    await wired.owner.changed({"settings": None})
    wired.answer = None
    await wired.owner.changed(None)
    assert [one.mode for one in wired.configured] == ["auto", "plan", "ask"]


async def test_what_is_wrong_is_told_once_and_the_rest_holds() -> None:
    wired = Wired()
    wrong = {"mode": "bold", "apiKey": 5, "model": "m", "Mode": 1}
    await wired.owner.take(wrong)
    await wired.owner.take(wrong)
    assert len(wired.said) == 1
    assert all(name in wired.said[0] for name in ("mode", "apiKey", "Mode"))
    assert (wired.owner.current.mode, wired.owner.current.model) == ("ask", "m")


async def test_the_key_is_in_no_message() -> None:
    wired = Wired()
    await wired.owner.take({"apiKey": "sk-secret", "baseUrl": "sk-secret"})
    assert "sk-secret" not in "".join(wired.said) + repr(wired.owner.current)
