"""The ports: what the agent needs from the world, as protocols. Adapters live at the edge; fakes in `testing`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from kaaj_agent.changes import ChangeSet, CheckResult

Json: TypeAlias = Any

# --- the model ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as the model sees it; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that was read completely and unambiguously; `arguments` are coerced by the tool's schema.

    `error` is set where a call was recognisable and its arguments were not: it is answered, never executed.
    """

    id: str
    name: str
    arguments: Mapping[str, Json]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the prompt. `calls` only on assistant messages, `call_id` and `name` only on tool results."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class NewPrefix:
    """The session's prompt began anew with these messages: what was said before was condensed into them.

    `findings` is what the model wrote down of it, or what could be told without the model.
    """

    messages: tuple[Message, ...]
    findings: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more requests; `cached` is the part of `prompt` that the server took from its cache."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    requests: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt + other.prompt,
            self.cached + other.cached,
            self.completion + other.completion,
            self.requests + other.requests,
        )


@dataclass(frozen=True, slots=True)
class Sampling:
    """How to draw tokens; None leaves a value to the endpoint."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class FillIn:
    """How a model is asked for what stands between two texts: `prefix` TEXT `suffix` TEXT `middle`, then it writes.

    `repo` and `file` open a repository's name and a further file's path, where the model knows them. It has to be
    stopped at any of `stop`.
    """

    prefix: str
    suffix: str
    middle: str
    repo: str = ""
    file: str = ""
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a model can do. `window` counts tokens; `loop` is the loop that suits the model.

    `dialect` is the form in which it writes calls where the endpoint has no tools of its own. `fill_in` is what its
    makers trained it with; instruct builds vary, so try it before use.
    """

    model: str
    window: int = 32_768
    native_tools: bool = True
    json_schema: bool = False
    loop: Literal["agentic", "guided"] = "agentic"
    sampling: Sampling = Sampling()
    max_tokens: int = 8_192
    embedded: bool = False
    fill_in: FillIn | None = None
    dialect: Literal["xml", "hermes"] = "xml"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the model. `schema` asks for a reply in that JSON Schema, where the endpoint can."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec] = ()
    sampling: Sampling | None = None
    max_tokens: int | None = None
    stop: Sequence[str] = ()
    schema: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Prose as it arrives; what may turn out to be a tool call is held back until it is known."""

    text: str


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A call has begun to arrive; `received` counts the characters of its arguments so far."""

    name: str
    received: int


@dataclass(frozen=True, slots=True)
class CallReady:
    """A call is complete so far, in the order of the reply; what comes later may still void it or read it otherwise.

    Only the Reply's own calls count. Until it is there nothing may come of a call that cannot be taken back.
    """

    call: ToolCall


@dataclass(frozen=True, slots=True)
class Reply:
    """The end of a stream. `finish` is `length` where the reply was cut by a limit: its calls must not be executed."""

    text: str
    calls: tuple[ToolCall, ...]
    usage: Usage
    finish: Literal["stop", "calls", "length"] = "stop"
    dialect: str = ""
    """How the first call was written: native, xml, hermes, fenced, fenced xml, bare; "" without one."""


@dataclass(frozen=True, slots=True)
class Restart:
    """The stream broke and the reply begins anew: forget every delta of it so far."""


StreamItem: TypeAlias = TextDelta | CallDelta | CallReady | Restart | Reply


class Model(Protocol):
    """A chat model behind any endpoint. Retries, dialects and errors are its own affair."""

    async def profile(self) -> Profile:
        """What the model can do, asked from the endpoint once. Raises ModelError."""
        ...

    def stream(self, request: Request) -> AsyncIterator[StreamItem]:
        """Deltas, then exactly one Reply. A stream that was cut is retried inside; raises ModelError for good."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token that could stand at a place, and its natural log-probability."""

    token: int
    text: str
    logprob: float


class Scorer(Protocol):
    """The embedded model seen token by token: what surprise-guided repair needs. Raises ModelError."""

    async def render(self, messages: Sequence[Message], opening: str) -> list[int]:
        """The chat template's tokens for `messages`, the assistant's turn opened with `opening`."""
        ...

    async def tokenize(self, text: str) -> list[int]: ...

    async def text_of(self, tokens: Sequence[int]) -> list[bytes]:
        """The bytes of each token (a token may hold a part of a character)."""
        ...

    async def alternatives(self, prefix: Sequence[int], count: int) -> list[Alternative]:
        """The `count` likeliest tokens after `prefix`, likeliest first."""
        ...

    async def finish_line(self, prefix: Sequence[int], limit: int) -> str:
        """Greedy text after `prefix` up to the end of the line (its `\\n` included if it came within `limit`)."""
        ...

    def spent(self) -> Usage:
        """The tokens since this was last asked."""
        ...


# --- commands -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended. `output` is stdout and stderr as they came, cut around what matters, the cut told in it.

    `whole` is as much of it as was kept at all; empty where that is `output`. `left_out` says what the command did
    that is not staged.
    """

    exit_code: int | None
    output: str
    seconds: float
    timed_out: bool = False
    cut: bool = False
    whole: str = ""
    left_out: str = ""


class Shell(Protocol):
    """Runs commands in a shadow workspace, never in the user's tree."""

    @property
    def sandboxed(self) -> bool:
        """Whether commands run without network and without the user's home; if not, each must be asked for."""
        ...

    async def run(
        self,
        command: str,
        *,
        timeout: float = 120.0,
        on_output: Callable[[str], None] | None = None,
    ) -> CommandResult:
        """Run by `sh -c` in the shadow's root. Cancelling kills the whole process group. Raises SandboxError."""
        ...


# --- the person ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """Something only the person may decide. `choices` are in the order shown; the first is the safe one to offer.

    `kind` says what it is about: a `command` to run unsandboxed, the `check` command found for a workspace, or a file
    that holds a `secret`, to be read or written. `unboxed`: what is asked for would run with the user's own rights.
    """

    kind: Literal["command", "check", "secret"]
    task: str
    title: str
    detail: str
    choices: tuple[str, ...]
    id: str = ""
    unboxed: bool = False


class Approver(Protocol):
    """Puts a question to the person. Returns one of its choices, or None where nobody answers."""

    async def ask(self, question: Question) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem as an editor, a parser or a checker tells it. Lines and columns count from 1."""

    path: Path
    line: int
    column: int
    severity: Literal["error", "warning", "information", "hint"]
    message: str
    source: str = ""
    code: str = ""


class Diagnoser(Protocol):
    """The problems that the editor shows now; empty where the front end has none to tell."""

    async def diagnostics(self, path: Path | None) -> Sequence[Diagnostic]: ...


# --- writing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in the user's files after an apply: each touched path's digest, None where the file is gone."""

    after: dict[Path, str | None] = field(hash=False)


class Applier(Protocol):
    """Brings a change into the user's files: all of it or nothing.

    Under LSP it asks the client and believes the text that the client then sends; on the command line it writes,
    the journal first. Raises StaleError where a base is no longer what it was, ApplyError where it did not work.
    """

    async def apply(self, change: ChangeSet) -> Written: ...


class Clock(Protocol):
    """Time. `now` is seconds since the epoch, `monotonic` seconds that never go back."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...


class Checker(Protocol):
    """Checks a change before anyone sees it."""

    async def check(self, change: ChangeSet, *, full: bool = True) -> CheckResult: ...
