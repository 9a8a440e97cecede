"""`kaaj run`: one task in a folder, from the prompt to the written files."""

from __future__ import annotations

import argparse
from pathlib import Path

from kaaj_agent.failures import BadRequestError, KaajError
from kaaj_server.cli.context import Context, Run

EPILOG = """\
modes:
  plan   write the to-do list and stop
  ask    propose one change, show it, and write it after your yes (the default)
  auto   write it without a question once the check has passed

Where there is no terminal nobody can say yes: `ask` then prints the change as
a diff and exits 1, unless --yes is given. --yes applies a change whose check
did not fail, and agrees to the check command that was found. `auto` agrees to
that command in the sandbox alone: without one name it with --check.

The work is done in a copy. Your files are written at the end, all of them or
none; after a crash in the middle of that the next `kaaj run` puts it right.

examples:
  kaaj run "make the failing test pass"
  kaaj run --check "pytest -q tests/test_cart.py" "total() is never negative"
  kaaj run --mode auto - < task.txt
  kaaj run --json --yes "rename Cart to Basket" | jq -c .type

--json prints each event of the stream (kaaj/event) as one line, then a line
  {"type": "result", "status": ..., "exit": ..., "applied": ...,
   "summary": ..., "seconds": ..., "usage": {...}, "session": ...}

exits 0 when done and checked, 1 when it stopped or failed (your files as they
were), 2 on bad use, 130 on Ctrl-C, 143 on SIGTERM.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("prompt", metavar="PROMPT", help="what is to be done, in your words; - reads standard input")
    parser.add_argument("--mode", choices=("plan", "ask", "auto"), default="ask", help="how far to go (default: ask)")
    parser.add_argument(
        "--check", metavar="CMD", help="shell command that must exit 0 (default: found by looking; none: run nothing)"
    )
    parser.add_argument("--dir", metavar="DIR", type=Path, default=Path(), help="the project's folder (default: .)")
    parser.add_argument("--model", metavar="NAME", help="the model at the endpoint, over KAAJ_MODEL")
    parser.add_argument("--base-url", metavar="URL", help="the endpoint with its /v1, over KAAJ_BASE_URL")
    parser.add_argument("--session", metavar="ID", help="go on with an earlier session")
    parser.add_argument("--seed", metavar="N", type=int, help="seed of the model's dice")
    parser.add_argument("--yes", action="store_true", help="apply a checked change without asking")
    parser.add_argument("--json", action="store_true", help="one JSON line per event")
    return run


def run(context: Context, arguments: argparse.Namespace) -> int:
    prompt, root = _prompt(context, str(arguments.prompt)), _folder(arguments.dir)
    from kaaj_server.cli.ending import run_to_the_end  # noqa: PLC0415 - heavy, and of no use to bad use
    from kaaj_server.cli.run_job import Job  # noqa: PLC0415
    from kaaj_server.cli.run_task import RunTask  # noqa: PLC0415

    job = Job(
        prompt=prompt,
        root=root,
        mode=arguments.mode,
        check=arguments.check,
        model=arguments.model or "",
        base_url=arguments.base_url or "",
        session=arguments.session,
        seed=arguments.seed,
        yes=bool(arguments.yes),
        as_json=bool(arguments.json),
    )
    task = RunTask(context, job)
    return run_to_the_end(task.run(), task.say_interrupted)


def _prompt(context: Context, given: str) -> str:
    text = given
    if given == "-":
        if context.stdin.isatty():
            context.stderr.write("What is to be done? End with Ctrl-D on a line of its own.\n")
        text = context.stdin.read()
    if not text.strip():
        raise BadRequestError("The prompt is empty.", field="prompt", hint="Say what is to be done, in your words.")
    return text


def _folder(path: Path) -> Path:
    try:
        root = path.resolve(strict=True)
    except OSError as error:
        raise BadRequestError(f"{path} cannot be used: {error.strerror}.", field="dir") from error
    if not root.is_dir():
        raise BadRequestError(f"{path} is not a folder.", field="dir", hint="Name the project's folder.")
    if root in (Path(root.anchor), Path.home()):
        raise KaajError(
            f"{root} is no project: Kaaj would read all of it.",
            kept="Nothing was done.",
            hint="Go into a project's folder, or name it with --dir.",
        )
    return root
