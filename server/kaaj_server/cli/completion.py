"""`kaaj completion`: what a shell needs to complete the command line, made out of the parser."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from kaaj_server.cli.context import DONE, Context, Run

EPILOG = """\
To have it in every new shell:

  bash   kaaj completion bash \\
           > ~/.local/share/bash-completion/completions/kaaj
  zsh    kaaj completion zsh > ~/.zfunc/_kaaj    (~/.zfunc must be on fpath)
  tcsh   kaaj completion tcsh > ~/.kaaj.tcsh     (then source it in ~/.tcshrc)
"""


def add(parser: argparse.ArgumentParser, whole: Callable[[], argparse.ArgumentParser]) -> Run:
    """`whole` builds the parser of the whole command line."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"))

    def run(context: Context, arguments: argparse.Namespace) -> int:
        import shtab  # noqa: PLC0415 - only where a script is asked for

        context.plain(shtab.complete(whole(), arguments.shell))
        return DONE

    return run
