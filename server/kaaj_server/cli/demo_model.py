"""Which model does the demo's work: the person's endpoint, a local server that answers, else the embedded one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from kaaj_agent.embedded.models import DEFAULT_MODEL, MODELS, installed, model_folder
from kaaj_agent.failures import BadRequestError
from kaaj_agent.model.discovery import discover
from kaaj_agent.settings import AgentSettings
from kaaj_server.cli.asking import Asker
from kaaj_server.cli.context import Context
from kaaj_server.cli.pulling import pull_model, short, size


@dataclass(frozen=True, slots=True)
class Engine:
    """A model for people (`name`, `place`), and what its choice adds to the server's environment."""

    name: str
    place: str
    environ: Mapping[str, str] = field(default_factory=dict[str, str])


async def find_engine(context: Context, console: Console, asked: str, asker: Asker, *, yes: bool) -> Engine | None:
    """The model to use, fetched where it is the embedded one and not there yet; None where that was not wanted.

    `asked` is the person's `--model`. Raises BadRequestError, PullError.
    """
    settings = AgentSettings.from_env(context.environ)
    if settings.base_urls and asked not in MODELS:
        name = asked or settings.model
        return Engine(name or "the endpoint's model", settings.base_urls[0], {"KAAJ_MODEL": name} if name else {})
    if asked and asked not in MODELS:
        raise BadRequestError(
            f"There is no embedded model {asked!r}, and no endpoint is set.",
            field="model",
            hint=f"There are: {', '.join(MODELS)}. For a model of your own set KAAJ_BASE_URL.",
        )
    if not asked and (found := await discover()) is not None:
        return Engine(found.model, found.base_url, {"KAAJ_BASE_URL": found.base_url, "KAAJ_MODEL": found.model})
    model = MODELS[asked or DEFAULT_MODEL]
    folder = model_folder(context.environ)
    if installed(model, folder) is None:
        console.print()
        console.print(Text("The model", style="bold"))
        console.print(Text(f"   No endpoint is set. {model.name} can do the work on this machine."))
        console.print(Text(f"   {size(model.size)}, downloaded once to {short(folder)}", style="dim"))
        if not yes and not await asker.confirm("   Download it?"):
            console.print(Text("   Then set KAAJ_BASE_URL to an endpoint of yours, and run `kaaj demo` again."))
            return None
        await pull_model(model, console, context.environ)
    environ = {"KAAJ_MODEL": model.name, "KAAJ_BASE_URL": "", "OPENAI_BASE_URL": ""}
    return Engine(model.name, "embedded, on this machine", environ)
