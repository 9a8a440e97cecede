"""The settings: LSP section `kaaj` (`workspace/configuration`, `initializationOptions`), in camelCase.

Each of them can raise a right, withhold a file or cost money, so they count only where they come from the person's
own settings, never from a file of a workspace: a client that merges the two must leave the workspace's part out (in
VS Code every one has the scope `machine` or `application`). Unlike a command's argument, settings are read leniently:
what is unknown or wrong is told, and the rest holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, Self, TypeAlias, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from kaaj_protocol.shapes import Mode
from kaaj_protocol.wire import Fault, Json, faults_of

Sandbox: TypeAlias = Literal["auto", "required", "off"]
Network: TypeAlias = Literal["off", "ask"]
Loop: TypeAlias = Literal["auto", "agentic", "guided"]


def _an_address(value: str | list[str]) -> str | list[str]:
    for address in [value] if isinstance(value, str) else value:
        if address and not address.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
    return value


class Prices(BaseModel):
    """What the endpoint takes for a million tokens, in any currency."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    input: Annotated[float, Field(ge=0, description="For a million tokens of the prompt that came from no cache.")]
    output: Annotated[float, Field(ge=0, description="For a million tokens of the replies.")]
    cached: Annotated[
        Annotated[float, Field(ge=0)] | SkipJsonSchema[None],
        Field(description="For a million tokens of the prompt that came from the cache. Unset: as `input`."),
    ] = None


class McpServer(BaseModel):
    """A server of other tools (Model Context Protocol): a `command` to start, or a `url`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    command: Annotated[str, Field(description="The program to start; it speaks over stdin and stdout.")] = ""
    args: Annotated[list[str], Field(description="Its arguments.")] = []
    env: Annotated[
        dict[str, str], Field(description="What it gets in its environment beside PATH, HOME and TERM.")
    ] = {}
    url: Annotated[str, Field(description="Instead of a command: where the server answers by HTTP.")] = ""
    headers: Annotated[
        dict[
            Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$")],
            Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{0,8192}$")],
        ],
        Field(description="What is sent along with each request to the `url`, such as `Authorization`."),
    ] = {}
    allow: Annotated[list[str], Field(description="Tools that run without being asked for; `*` for all of them.")] = []

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("needs a command or a url, and not both")
        if self.headers and not self.url:
            raise ValueError("headers go with a url")
        return self


class Settings(BaseModel):
    """Every setting with its default. An empty text or list means: not set, Kaaj finds out by itself."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        extra="ignore",
        frozen=True,
        strict=True,
        hide_input_in_errors=True,
    )

    base_url: Annotated[str | list[str], AfterValidator(_an_address)] = Field(
        default="",
        description=(
            "Address of an OpenAI-compatible endpoint, up to and including /v1. Of several, the next one is used "
            "where one fails. Empty: KAAJ_BASE_URL, then a local server that answers, then the embedded model."
        ),
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key for the endpoint. Better kept in the environment, as KAAJ_API_KEY. It is never logged.",
    )
    model: str = Field(
        default="",
        description="Name of the model at the endpoint. Empty: KAAJ_MODEL, then the best one that the endpoint lists.",
    )
    mode: Mode = Field(
        default="ask",
        description=(
            "plan: write the to-do list and stop. ask: propose a change and wait for your decision. "
            "auto: apply it once the checks pass."
        ),
    )
    check: str = Field(
        default="",
        description=(
            "Shell command that checks a change in the shadow workspace: 0 means good. Empty: found by looking at "
            "the project, and asked for once. none: nothing is run."
        ),
    )
    check_timeout: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=300.0,
        description="Seconds that the check may take.",
    )
    sandbox: Sandbox = Field(
        default="auto",
        description=(
            "auto: commands run inside bubblewrap (no network, home hidden) where it is there, else each is asked "
            "for. required: without bubblewrap no command runs. off: bubblewrap is not used, each command is asked for."
        ),
    )
    network: Network = Field(
        default="off",
        description=(
            "off: no command in the sandbox has the network. ask: you are asked whether a command that wants it, such "
            "as `npm ci`, may have it."
        ),
    )
    command_timeout: Annotated[float, Field(gt=0, le=86_400)] = Field(
        default=120.0,
        description="Seconds that one command of the model may take.",
    )
    loop: Loop = Field(
        default="auto",
        description=(
            "How the model is led. agentic: it uses the tools freely. guided: step by step, for small models. "
            "auto: whichever suits the model."
        ),
    )
    embedded_model: str = Field(
        default="qwen2.5-coder-1.5b",
        description=(
            "The model that runs inside Kaaj where no endpoint is there, and that tries its hand at a fix first where "
            "one is and this model is on the machine: a name that `kaaj model list` shows, or empty to never use one."
        ),
    )
    context_window: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Tokens that the model can see at once. 0: asked from the endpoint.",
    )
    max_steps: Annotated[int, Field(ge=1)] = Field(
        default=60,
        description="Requests to the model that one task may make.",
    )
    max_tokens: Annotated[int, Field(ge=1)] = Field(
        default=2_000_000,
        description="Tokens that one task may use: replies, and what of the prompts did not come from a cache.",
    )
    max_seconds: Annotated[float, Field(gt=0)] = Field(
        default=1_800.0,
        description="Seconds that one task may take, your own time to decide not counted.",
    )
    guided_seconds: Annotated[float, Field(gt=0)] = Field(
        default=480.0,
        description="Seconds after which a task that is led step by step gives up; `keep trying` goes on with it.",
    )
    guided_item_seconds: Annotated[float, Field(gt=0)] = Field(
        default=240.0,
        description="Seconds that a task led step by step may spend on one item of its list.",
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None,
        description="How freely the model draws its words, 0 to 2. Unset: what suits the model.",
    )
    top_p: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="Of the likeliest words, the share of probability that is drawn from. Unset: what suits the model.",
    )
    top_k: Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        description="How many of the likeliest words are drawn from, 0 for all. Unset: what suits the model.",
    )
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = Field(
        default=None,
        description="How much less likely words become that were written before; 1 is not at all. Unset: what suits "
        "the model.",
    )
    tool_calls: Literal["auto", "native", "xml", "hermes"] = Field(
        default="auto",
        description=(
            "How the model calls tools: by the endpoint's own means (`native`), or in the text, as Qwen3-Coder (`xml`) "
            "or Qwen2.5 (`hermes`) do it. `auto`: natively, else by the model's name."
        ),
    )
    seed: int | None = Field(
        default=None,
        description="Makes the model's draws repeatable where the endpoint can. Unset: new ones each time.",
    )
    prices: Prices | None = Field(
        default=None,
        description=(
            "What a million tokens cost at the endpoint, so that a task can tell its cost: `input` (prompt), `cached` "
            "(prompt from the cache), `output` (replies). Unset: no cost is told."
        ),
    )
    hide_secrets: bool = Field(
        default=True,
        description="Withhold .env files, private keys and their like from the model.",
    )
    secret_files: list[str] = Field(
        default=[],
        description=(
            "Names of further files and folders to withhold, with * for anything; a ! in front takes a name off the "
            "list that is built in, such as !*.key."
        ),
    )
    mcp: dict[Annotated[str, StringConstraints(pattern=r"^[\w-]{1,64}$")], McpServer] = Field(
        default={},
        description=(
            "MCP servers by name, each {command, args?, env?} or {url, headers?}, with `allow`, the tools that run "
            "without being asked for. A server is started when the model first uses it."
        ),
    )


CLIENTS_OWN: Final = frozenset({"notifications", "path", "trace"})
"""Names in the same section that a client keeps for itself; they are skipped without a word."""


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """Settings as they were read. `unknown` names settings that do not exist; `faults` tells those that are wrong.

    A setting at fault has its default.
    """

    settings: Settings
    unknown: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()


def _by_alias() -> dict[str, str]:
    return {to_camel(name): name for name in Settings.model_fields}


def read_settings(raw: Json) -> ReadSettings:
    """The settings out of the JSON value that a client sent; it raises nothing.

    An absent or null value is the default, also for a single setting. Names may be given in snake_case too.
    """
    if raw is None:
        return ReadSettings(Settings())
    if not isinstance(raw, Mapping):
        return ReadSettings(Settings(), faults=(Fault("", "the settings must be an object"),))
    aliases = _by_alias()
    given: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in cast("Mapping[object, Any]", raw).items():
        name = aliases.get(str(key), str(key))
        if name in CLIENTS_OWN:
            continue
        if name not in Settings.model_fields:
            unknown.append(str(key))
        elif value is not None:
            given[name] = value
    faults: tuple[Fault, ...] = ()
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        # Each fault names its setting first; the rest is read again without those.
        found = [(fault.field.partition("."), fault.problem) for fault in faults_of(error)]
        faults = tuple(Fault(to_camel(name) + dot + rest, problem) for (name, dot, rest), problem in found)
        for (name, _, _), _ in found:
            given.pop(aliases.get(name, name), None)
        settings = Settings.model_validate(given)
    return ReadSettings(settings, tuple(unknown), faults)
