"""`kaaj eval`: a set of tasks, each in a copy of its own and a process of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from kaaj_agent.failures import BadRequestError
from kaaj_server.cli.context import Context, Run

EPILOG = """\
A task is a folder with `task.toml` and `workspace/`; a DIR may be a task, or a
folder of tasks. A task.toml:

  prompt = "total() must count each line's quantity"
  check = "python3 -m unittest"    # exits 0 when it is solved
  timeout = 300                    # seconds
  files = ["cart.py"]              # optional: named in the prompt
  mode = "auto"                    # optional

and, all optional: `agent_check` (the command that the agent is told in place
of `check`), `setup` (a command that runs in the copy before the agent), `needs`
(a list of programs), `untouched` (true: solved by leaving everything alone),
`kind`, `language`, `split`. `setup` and `check` find the task's folder in
$KAAJ_TASK; a task with a folder `hidden` does not tell the agent its `check`.

Each run is a child, `kaaj run --json`, in a copy of the workspace; afterwards
the check decides. A line per run goes to the results file: {task, solved,
status, seconds, requests, prompt_tokens, cached_tokens, completion_tokens,
edits, error?}. Runs that stand there are not run again, so an evaluation that
was interrupted goes on where it stopped. The report is one HTML file: tasks by
seeds, and what happened in each run. --ray needs: pip install 'kaaj[cluster]'.

examples:
  kaaj eval tests/bench/tasks --out results.jsonl
  kaaj eval tasks --jobs 4 --seeds 5 --out results.jsonl
  kaaj eval tasks --ray HOST:6379 --base-url URL --seeds 5 --out results.jsonl

exits 0 when every run came to a result (solved or not), 1 when one had an
error, 130 on Ctrl-C.
"""


def add(parser: argparse.ArgumentParser) -> Run:
    parser.add_argument("tasks", metavar="DIR", nargs="+", type=Path, help="a task, or a folder of tasks")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="the results, a JSON line per run")
    parser.add_argument("--report", metavar="FILE", type=Path, help="the HTML report (default: beside the results)")
    parser.add_argument("--jobs", metavar="N", type=_count, help="runs at the same time (default: 1; on Ray, its all)")
    parser.add_argument("--seeds", metavar="N", type=_count, help="run each task N times, with the seeds 1 to N")
    parser.add_argument("--model", metavar="NAME", help="as for `kaaj run`")
    parser.add_argument("--base-url", metavar="URL", help="as for `kaaj run`")
    parser.add_argument(
        "--ray", metavar="ADDRESS", nargs="?", const="local", help="run on a Ray cluster (no ADDRESS: on this machine)"
    )
    parser.add_argument(
        "--cpus-per-run", metavar="N", type=_cores, default=1.0, help="what a run counts for on Ray (default: 1)"
    )
    parser.add_argument("--blind", action="store_true", help="do not tell the agent the check command")
    return run


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 up")
    return number


def _cores(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of cores")
    return number


def run(context: Context, arguments: argparse.Namespace) -> int:
    from kaaj_server.cli.ending import run_to_the_end  # noqa: PLC0415 - `kaaj serve` comes past here
    from kaaj_server.cli.eval_run import Evaluation, Options  # noqa: PLC0415
    from kaaj_server.cli.eval_task import find_tasks  # noqa: PLC0415

    tasks = find_tasks(arguments.tasks)
    if not tasks:
        raise BadRequestError("There is no task in these folders.", field="DIR", hint="A task has a `task.toml`.")
    out = arguments.out.absolute()
    report = (arguments.report or out.with_suffix(".html")).absolute()
    if report == out:
        raise BadRequestError("The results and the report cannot be one file.", field="--out")
    options = Options(
        out=out,
        report=report,
        jobs=arguments.jobs,
        seeds=tuple(range(1, arguments.seeds + 1)) if arguments.seeds else (None,),
        model=arguments.model or "",
        base_url=arguments.base_url or "",
        blind=bool(arguments.blind),
        cluster=arguments.ray,
        cpus=arguments.cpus_per_run,
    )
    evaluation = Evaluation(context, options, tasks)
    return run_to_the_end(evaluation.run(), evaluation.say_interrupted)
