"""`kaaj allowed`: what you allowed for good, and how to take it back."""

from __future__ import annotations

import argparse

from kaaj_server.cli.context import BAD_USE, DONE, Context, Run

EPILOG = """\
Each answer holds for one workspace folder and for exactly one text:
  sandbox   the command may run in the sandbox although it could not be read
  network   as that, with the network
  unboxed   it may run without a sandbox, with all your rights
  check     it checks changes ("none": no check there)

They are kept in your own state folder, in commands.json and checks.json.
Nothing in a workspace can add to them.

--json prints a list of {"number", "folder", "where", "command"}.
"""

_CHECK = "check"


def add(parser: argparse.ArgumentParser) -> Run:
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--forget", metavar="N", nargs="+", help="take back these numbers, or `all`")
    way.add_argument("--json", action="store_true", help="as JSON")
    return run


def run(context: Context, arguments: argparse.Namespace) -> int:
    from kaaj_agent.allowed_commands import NAME, Allowed, AllowedCommands  # noqa: PLC0415 - as the others do
    from kaaj_agent.check_choice import CheckMemory  # noqa: PLC0415
    from kaaj_agent.command_policy.shown import visible  # noqa: PLC0415

    commands = AllowedCommands(context.state_dir / NAME)
    checks = CheckMemory(context.state_dir / "checks.json")
    rows: list[tuple[str, str, str, Allowed | None]] = [
        (row.folder, row.where, row.command, row) for row in commands.rows()
    ]
    rows += [(folder, _CHECK, command, None) for folder, command in sorted(checks.rows().items())]
    rows.sort(key=lambda row: row[:3])
    if arguments.forget:
        wanted = {str(number) for number in range(1, len(rows) + 1)}
        if arguments.forget != ["all"]:
            unknown = [text for text in arguments.forget if text not in wanted]
            if unknown:
                context.stderr.write(f"kaaj: there is no number {', '.join(unknown)}; nothing was taken back.\n")
                return BAD_USE
            wanted = set(arguments.forget)
        gone = [row for number, row in enumerate(rows, 1) if str(number) in wanted]
        commands.forget(*(allowed for *_, allowed in gone if allowed is not None))
        checks.forget(*(folder for folder, _, _, allowed in gone if allowed is None))
        context.plain(f"Taken back: {len(gone)}.")
        return DONE
    if arguments.json:
        import json  # noqa: PLC0415

        table = [
            {"number": number, "folder": folder, "where": where, "command": command}
            for number, (folder, where, command, _) in enumerate(rows, 1)
        ]
        context.plain(json.dumps(table, indent=2, ensure_ascii=False))
        return DONE
    if not rows:
        context.plain("Nothing is allowed for good.")
    before = ""
    for number, (folder, where, command, _) in enumerate(rows, 1):
        if folder != before:
            context.plain(visible(folder, lines=False))
            before = folder
        context.plain(f"  {number:>3}  {where:<8} {visible(command, lines=False)}")
    return DONE
