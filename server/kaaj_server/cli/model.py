"""`kaaj model`: the embedded models: fetch one, list them, serve one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kaaj_agent.failures import KaajError
from kaaj_server.cli.context import DONE, Context, Run
from kaaj_server.cli.serve import port

if TYPE_CHECKING:
    from kaaj_agent.embedded.models import EmbeddedModel


EPILOG = """\
examples:
  kaaj model pull                      the default model (1.1 GB)
  kaaj model pull qwen2.5-coder-0.5b   the smaller one (491 MB)
  kaaj model list
  kaaj model serve --port 8080         an endpoint for other programs too

A download that was interrupted goes on where it stopped. Files are kept in
KAAJ_MODEL_DIR, else in your data folder, and used only if their SHA-256 is
right. Serving needs the extra: pip install "kaaj[local]". There is no need to
serve a model for Kaaj itself: it starts one when it needs it.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    pull = actions.add_parser("pull", help="download a model", description="Download a model, or go on with it.")
    pull.set_defaults(action=_pull)
    listing = actions.add_parser("list", help="list the models", description="List the models, with what is on disk.")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(action=_list)
    serve = actions.add_parser("serve", help="serve a model", description="Serve a model until Ctrl-C.")
    serve.add_argument("--port", metavar="PORT", type=port, default=0, help="port on 127.0.0.1 (default: any free one)")
    serve.set_defaults(action=_serve)
    for child in (pull, serve):
        child.add_argument("name", metavar="NAME", nargs="?", help="as `kaaj model list` shows it")
    return run


def run(context: Context, arguments: argparse.Namespace) -> int:
    action: Run = arguments.action
    return action(context, arguments)


def _model(arguments: argparse.Namespace) -> EmbeddedModel:
    from kaaj_agent.embedded.models import DEFAULT_MODEL, model_named  # noqa: PLC0415

    return model_named(arguments.name or DEFAULT_MODEL)


def _pull(context: Context, arguments: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - `kaaj serve` comes past here

    from rich.text import Text  # noqa: PLC0415

    from kaaj_server.cli.pulling import pull_model, short  # noqa: PLC0415

    console = context.console()
    try:
        path = asyncio.run(pull_model(_model(arguments), console, context.environ))
    except KeyboardInterrupt:
        console.print("Interrupted. What has come is kept; `kaaj model pull` goes on from there.")
        raise
    console.print(Text(f"Ready: {short(path)}", style="green"))
    return DONE


def _list(context: Context, arguments: argparse.Namespace) -> int:
    from kaaj_agent.embedded.models import DEFAULT_MODEL, MODELS, installed, model_folder  # noqa: PLC0415

    folder = model_folder(context.environ)
    found: Mapping[str, Path | None] = {name: installed(model, folder) for name, model in MODELS.items()}
    if arguments.json:
        import json  # noqa: PLC0415

        rows = [
            {
                "name": name,
                "bytes": model.size,
                "path": str(found[name]) if found[name] else None,
                "default": name == DEFAULT_MODEL,
            }
            for name, model in MODELS.items()
        ]
        context.plain(json.dumps(rows, indent=2))
        return DONE
    from rich.text import Text  # noqa: PLC0415

    from kaaj_server.cli.pulling import short, size  # noqa: PLC0415

    console = context.console()
    for name, model in MODELS.items():
        path = found[name]
        state = ("on disk", "green") if path else ("not here", "dim")
        default = "  default" if name == DEFAULT_MODEL else ""
        console.print(Text.assemble(f"{name:<22}", f"{size(model.size):>8}  ", state, (default, "dim")))
    console.print(Text(f"in {short(folder)}", style="dim"))
    return DONE


def _serve(context: Context, arguments: argparse.Namespace) -> int:
    from kaaj_agent.embedded.models import installed, model_folder  # noqa: PLC0415
    from kaaj_server.cli.model_serve import serve_until_interrupted  # noqa: PLC0415

    model = _model(arguments)
    if installed(model, model_folder(context.environ)) is None:
        raise KaajError(f"{model.name} is not on this machine.", hint=f"Fetch it with: kaaj model pull {model.name}")
    return serve_until_interrupted(context, model, arguments.port)
