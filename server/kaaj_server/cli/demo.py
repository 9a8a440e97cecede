"""`kaaj demo`: the main job for a newcomer, on a small project that comes along."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from kaaj_server.cli.context import Context, Run

PROJECT: Final = Path(__file__).parent / "demo_project"

EPILOG = """\
A tiny shop with one failing test is copied to a temporary folder. The
language server is started as an editor would start it and asked to make the
test pass; you see the plan, the change and its check. The change is applied
after your yes (by itself with --yes, and where there is no terminal), and the
tests run again.

With no endpoint set, the embedded model does the work (1.1 GB, downloaded
once, after a yes).

examples:
  kaaj demo
  kaaj demo --yes --keep                 no questions; the project stays
  kaaj demo --model qwen2.5-coder-0.5b   the smaller embedded model (491 MB)
  KAAJ_BASE_URL=http://127.0.0.1:8000/v1 kaaj demo

exits 0 only if the tests were red before and green after.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("--yes", action="store_true", help="answer yes to every question")
    parser.add_argument("--model", metavar="NAME", default="", help="an embedded model, or a model at your endpoint")
    parser.add_argument("--keep", action="store_true", help="leave the project in its folder afterwards")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of the model's dice, to run it the same way again")
    return run


def run(context: Context, arguments: argparse.Namespace) -> int:
    from kaaj_server.cli.demo_run import Demo  # noqa: PLC0415 - `kaaj serve` comes past here
    from kaaj_server.cli.ending import run_to_the_end  # noqa: PLC0415

    demo = Demo(
        context,
        context.console(),
        yes=bool(arguments.yes) or not context.interactive,
        keep=bool(arguments.keep),
        model=str(arguments.model),
        seed=arguments.seed,
    )
    return run_to_the_end(demo.run(), demo.say_interrupted)
