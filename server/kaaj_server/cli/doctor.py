"""`kaaj doctor`: what was found on this machine, and what to do about the rest."""

from __future__ import annotations

import argparse

from kaaj_server.cli.context import DONE, FAILED, Context, Run

EPILOG = """\
Everything is tried for real: the endpoint is asked for its models, the model
for one tool call, bubblewrap for one command.

--json prints a list of {"name", "state", "found", "advice"}; the state is
"good", "note" (it costs something) or "bad" (no task can be done).

exits 0 when a task can be done here, else 1.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("--json", action="store_true", help="as JSON")
    return run


def run(context: Context, arguments: argparse.Namespace) -> int:
    import asyncio  # noqa: PLC0415 - `kaaj serve` comes past here

    from kaaj_server.cli.doctor_report import examine, show  # noqa: PLC0415

    console = context.console()
    if arguments.json:
        import json  # noqa: PLC0415
        from dataclasses import asdict  # noqa: PLC0415

        findings = asyncio.run(examine(context, lambda _: None))
        context.plain(json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        findings = asyncio.run(show(context, console))
    return FAILED if any(finding.state == "bad" for finding in findings) else DONE
