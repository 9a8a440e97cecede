"""`kaaj serve`: the language server, on stdio or on a loopback port."""

from __future__ import annotations

import argparse
import errno
import os
from typing import TYPE_CHECKING

from kaaj_agent.failures import KaajError
from kaaj_server.cli.context import Context

if TYPE_CHECKING:
    from kaaj_server.cli.context import Run

EPILOG = """\
An editor starts this by itself; its settings tell it the command line:

  Neovim   vim.lsp.config("kaaj", {cmd = {"kaaj", "serve", "--stdio"},
                                   root_markers = {".git"}})
           vim.lsp.enable("kaaj")
  Helix    [language-server.kaaj]
           command = "kaaj"
           args = ["serve", "--stdio"]
  Emacs    (add-to-list 'eglot-server-programs
                        '(python-mode . ("kaaj" "serve" "--stdio")))

Over TCP the server listens on 127.0.0.1 alone, for one client, which shows a
token in `initializationOptions.token`: the one in KAAJ_TCP_TOKEN, else one
that is made up and printed on stderr.

exits 0 where the client asked for `shutdown` before it left, else 1.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--stdio", action="store_true", help="speak LSP on standard input and output")
    way.add_argument("--tcp", metavar="PORT", type=port, help="listen on 127.0.0.1:PORT (0: any free port)")
    return run


def port(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return number


def run(context: Context, arguments: argparse.Namespace) -> int:
    from kaaj_server.lsp import server  # noqa: PLC0415 - pygls is for this subcommand only

    if arguments.stdio:
        return server.serve_stdio(context.environ, context.state_dir)
    token = context.environ.get("KAAJ_TCP_TOKEN", "")
    if not token:
        import secrets  # noqa: PLC0415 - only where a token is made up

        token = secrets.token_urlsafe(24)
        context.stderr.write(f"kaaj: token {token}\n")
        context.stderr.flush()
    try:
        return server.serve_tcp(arguments.tcp, token, context.environ, context.state_dir)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise KaajError(
            f"Port {arguments.tcp} cannot be used: {os.strerror(error.errno)}.", hint="Take another one, or 0 for any."
        ) from error
