"""The command `kaaj`. The only place that reads the environment, sets logging up and makes directories."""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from kaaj_agent.failures import BadRequestError, KaajError
from kaaj_agent.redaction import WITHHELD
from kaaj_server.cli import allowed, completion, demo, doctor, evaluate, model, run, serve, undo
from kaaj_server.cli.context import BAD_USE, FAILED, INTERRUPTED, Context

LEVELS: Final = ("debug", "info", "warning", "error")
LOG_FILE: Final = "kaaj.log"
_log: Final = logging.getLogger(__name__)
_LOG_BYTES: Final = 2 * 1024 * 1024

_CHATTY: Final = ("openai", "httpx", "httpx2", "httpcore", "asyncio", "pygls", "watchdog", "git", "filelock")
"""Loggers that would write requests, headers or every message into a log; they speak from `warning` on."""

_DESCRIPTION: Final = """\
Kaaj is a coding agent that lives in a language server. It plans a task as a
to-do list, makes the edits in a staging area, checks them there, and shows
them as one reviewable change before a byte of your files moves.
"""

_EPILOG: Final = """\
examples:
  kaaj demo                               the main job, on a small project
  kaaj run "make the failing test pass"   in this folder; asks before it writes
  kaaj run --mode plan "add --json"       only the to-do list
  kaaj undo                               take the newest change back
  kaaj doctor                             what was found on this machine
  kaaj serve --stdio                      what an editor starts

environment:
  KAAJ_BASE_URL    an OpenAI-compatible endpoint, with its /v1; several are
                   tried in order, separated by commas (else OPENAI_BASE_URL)
  KAAJ_API_KEY     its key, if it wants one (else OPENAI_API_KEY)
  KAAJ_MODEL       the model's name at the endpoint
  KAAJ_STATE_DIR   where sessions, the journal and logs are kept
  KAAJ_MODEL_DIR   where embedded models are kept
  KAAJ_TCP_TOKEN   the token of `kaaj serve --tcp`
  KAAJ_LOG         debug, info, warning or error
  NO_COLOR         no colours, whatever it is set to

With no endpoint set: a local server that answers (Ollama, LM Studio,
llama.cpp, vLLM on their usual ports), else the embedded model.

exit codes: 0 done and checked; 1 stopped or failed, your files as they were;
2 bad use; 130 interrupted.
"""


class _Version(argparse.Action):
    """`--version`, which looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - 20 ms that a server need not wait for

        sys.stdout.write(f"kaaj {version('kaaj')}\n")
        parser.exit()


def build_parser() -> argparse.ArgumentParser:
    """The whole command line. Each subcommand leaves its work under `work`."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--log-level", choices=LEVELS, default=argparse.SUPPRESS, help="how much to log (default: KAAJ_LOG or warning)"
    )
    parser = argparse.ArgumentParser(
        prog="kaaj",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[shared],
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(name: str, line: str, epilog: str) -> argparse.ArgumentParser:
        return commands.add_parser(
            name,
            help=line,
            description=line[0].upper() + line[1:] + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            parents=[shared],
            allow_abbrev=False,
        )

    child = command("demo", "the main job on a small project, as an editor would ask for it", demo.EPILOG)
    child.set_defaults(work=demo.add(child))
    child = command("run", "do one task in a folder", run.EPILOG)
    child.set_defaults(work=run.add(child))
    child = command("undo", "take a change of Kaaj's back, also later", undo.EPILOG)
    child.set_defaults(work=undo.add(child))
    child = command("serve", "run the language server", serve.EPILOG)
    child.set_defaults(work=serve.add(child), serves=True)
    child = command("doctor", "say what was found, and what to do about the rest", doctor.EPILOG)
    child.set_defaults(work=doctor.add(child))
    child = command("model", "download, list or serve the embedded models", model.EPILOG)
    child.set_defaults(work=model.add(child))
    child = command("eval", "run a set of tasks and say how many were solved", evaluate.EPILOG)
    child.set_defaults(work=evaluate.add(child))
    child = command("allowed", "show what you allowed for good, or take it back", allowed.EPILOG)
    child.set_defaults(work=allowed.add(child))
    child = command("completion", "print a script that completes this command line in a shell", completion.EPILOG)
    child.set_defaults(work=completion.add(child, build_parser))
    return parser


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where Kaaj keeps its own state: `KAAJ_STATE_DIR`, else the user's state folder."""
    named = environ.get("KAAJ_STATE_DIR", "")
    if named:
        return Path(named).expanduser().resolve()
    import platformdirs  # noqa: PLC0415 - not needed where the folder is named

    return platformdirs.user_state_path("kaaj", appauthor=False).resolve()


def make_state_folder(path: Path) -> Path:
    """The folder, made for its owner alone. Raises KaajError where it cannot be."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KaajError(
            f"The state folder {path} cannot be made: {error.strerror}.",
            kept="Nothing was done.",
            hint="Name another one in KAAJ_STATE_DIR.",
        ) from error
    return path


class Withholding(logging.Formatter):
    """A formatter that leaves keys and passwords out, in messages and in tracebacks alike."""

    def format(self, record: logging.LogRecord) -> str:
        return WITHHELD.log(super().format(record))


def _log_of_threads(args: threading.ExceptHookArgs) -> None:
    """What ends a thread goes through the log, which leaves secrets out, and not straight to stderr."""
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        told = (args.exc_type, args.exc_value, args.exc_traceback)
        _log.error("a thread ended: %s", args.thread.name if args.thread else "?", exc_info=told)


def set_logging_up(level: str, state_dir: Path, *, to_stderr: bool) -> None:
    """Logs go to stderr under an editor, which keeps them, and to a file of bounded size otherwise."""
    handler: logging.Handler
    if to_stderr:
        from kaaj_server.patient_log import PatientHandler  # noqa: PLC0415 - for a server alone

        handler = PatientHandler(sys.stderr.fileno())
    else:
        from logging.handlers import RotatingFileHandler  # noqa: PLC0415 - it pulls in sockets

        try:
            path = state_dir / LOG_FILE
            handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8", delay=True)
        except OSError:
            handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Withholding("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    threading.excepthook = _log_of_threads
    logging.raiseExceptions = False  # a full disk or a closed stderr must not end a task
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 stopped or failed, 2 bad use, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a character that the terminal does not have must not end a task
    try:
        arguments = build_parser().parse_args(argv)
        return _flushed(_work(arguments, dict(os.environ)))
    except SystemExit as end:  # argparse has said what it had to say
        return _flushed(end.code if isinstance(end.code, int) else BAD_USE)
    except BrokenPipeError:
        _forget_stdout()
        return FAILED
    except KeyboardInterrupt:
        return _flushed(INTERRUPTED)
    except KaajError as error:
        _complain(error)
        return _flushed(BAD_USE if isinstance(error, BadRequestError) else FAILED)
    except Exception as error:  # noqa: BLE001 - the end of a request of ours: logged, and told without a wall of text
        _log.exception("%s", error)
        where = state_folder(os.environ) / LOG_FILE
        _complain(KaajError(f"Something went wrong inside Kaaj: {error!r}.", hint=f"The log says more: {where}"))
        return _flushed(FAILED)


def _work(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    WITHHELD.learn_environment(environ)
    level = getattr(arguments, "log_level", environ.get("KAAJ_LOG", "").lower())
    state_dir = state_folder(environ)
    serves = getattr(arguments, "serves", False)
    problem = None
    try:
        make_state_folder(state_dir)
    except KaajError as error:
        if not serves:
            raise
        problem = error  # an editor still gets its server; each session says that it cannot be saved
    set_logging_up(level if level in LEVELS else "warning", state_dir, to_stderr=serves)
    if problem is not None:
        _log.warning("%s %s", problem.message, problem.hint)
    return int(arguments.work(Context(environ, state_dir, sys.stdin, sys.stdout, sys.stderr), arguments))


def _complain(error: KaajError) -> None:
    lines = [f"kaaj: {error.message}", *(f"      {part}" for part in (error.kept, error.hint) if part)]
    try:
        sys.stderr.write(WITHHELD.log("\n".join(lines)) + "\n")
    except OSError:
        return


def _flushed(code: int) -> int:
    """The exit code, once all output is out; the reader may have gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
        return code or FAILED
    return code


def _forget_stdout() -> None:
    """Python flushes stdout once more at its end: let that go nowhere, in silence."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
