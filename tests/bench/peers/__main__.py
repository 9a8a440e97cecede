"""Kaaj and its peers on the same tasks, at the same endpoint, on this machine, one run at a time.

    python -m tests.bench.peers install
    python -m tests.bench.peers try
    python -m tests.bench.peers run --agents kaaj,aider,qwen-code,mini-swe-agent \
        --model qwen2.5-coder-1.5b --split report --limit 10 --out peers.jsonl
    python -m tests.bench.peers table --out peers.jsonl

`install` puts the peers outside of the repository ($KAAJ_PEERS_DIR, else the user's cache folder). `try` shows in
seconds whether each can be started, edits and is counted: its model is a script. `run` writes a JSON
line a run and prints the table as Markdown; the same command goes on where it was interrupted. What each agent said
stands beside the results, in the folder that is called like them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.peers import installs
from tests.bench.peers.agents import AGENTS, Agent
from tests.bench.peers.endpoint import WINDOW, embedded, remote
from tests.bench.peers.runs import append, lines_of, remaining, run_one
from tests.bench.peers.table import markdown
from tests.bench.peers.trial import try_all

from kaaj_agent.failures import KaajError
from kaaj_server.cli.ending import run_to_the_end
from kaaj_server.cli.eval_task import EvalTask, find_tasks

TASKS = Path(__file__).parent.parent / "tasks"


def main() -> int:
    given = _parser().parse_args()
    match given.verb:
        case "install":
            for peer in installs.PEERS.values():
                installs.install(peer)
            return 0
        case "try":
            return min(1, try_all([agent for agent in AGENTS.values() if _there(agent)]))
        case "table":
            print(markdown(list(lines_of(given.out).values()), given.model))
            return 0
        case _:
            return _run(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests.bench.peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("install", help="install the peers, outside of the repository")
    verbs.add_parser("try", help="each agent that is there on one small task with a scripted model")
    run = verbs.add_parser("run", help="run what is not there yet, then print the table")
    run.add_argument("--agents", default=",".join(AGENTS), help="names with commas (default: all)")
    run.add_argument("--split", choices=("tune", "report"), help="only one half of the tasks")
    run.add_argument("--tasks", default="", help="names with commas, in place of all")
    run.add_argument("--limit", type=int, help="only the first so many tasks, taken evenly from all kinds")
    run.add_argument("--seconds", type=float, default=600.0, help="a run's limit; the task's own holds too")
    run.add_argument("--window", type=int, default=WINDOW, help="tokens of context of the endpoint")
    run.add_argument("--threads", type=int, default=0, help="of the embedded endpoint (default: the cores)")
    run.add_argument("--base-url", default="", help="an endpoint that runs already (http), in place of the embedded")
    table = verbs.add_parser("table", help="print the table of what is there")
    for one in (run, table):
        one.add_argument("--model", default="qwen2.5-coder-1.5b")
        one.add_argument("--out", type=Path, default=Path("peers.jsonl"))
    return parser


def _run(given: argparse.Namespace) -> int:
    unknown = [name for name in given.agents.split(",") if name not in AGENTS]
    if unknown:
        print(f"no such agent: {', '.join(unknown)}; there are {', '.join(AGENTS)}", file=sys.stderr)
        return 2
    agents = [AGENTS[name] for name in given.agents.split(",")]
    lacking = [agent.name for agent in agents if not _there(agent)]
    if lacking:
        print(f"not installed: {', '.join(lacking)}; run: python -m tests.bench.peers install", file=sys.stderr)
        return 2
    names = {name for name in str(given.tasks).split(",") if name}
    tasks = [
        task
        for task in find_tasks([TASKS])
        if (not given.split or task.split == given.split) and (not names or task.name in names)
    ]
    try:
        code = run_to_the_end(_all(given, agents, spread(tasks, given.limit)), _say_interrupted)
    except KeyboardInterrupt:
        return 130
    except (KaajError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    if code == 0:
        print(markdown(list(lines_of(given.out).values()), given.model))
    return code


def _say_interrupted() -> None:
    print("Interrupted; the same command goes on.", file=sys.stderr)


def _there(agent: Agent) -> bool:
    peer = installs.PEERS.get(agent.name)
    return peer is None or peer.executable().exists()


def spread(tasks: Sequence[EvalTask], limit: int | None) -> list[EvalTask]:
    """At most `limit` tasks: one of each kind, then a second of each, and so on."""
    turns: dict[str, int] = {}
    ranked: list[tuple[int, str, EvalTask]] = []
    for task in tasks:
        turns[task.kind] = turns.get(task.kind, 0) + 1
        ranked.append((turns[task.kind], task.name, task))
    return [task for *_, task in sorted(ranked, key=lambda row: row[:2])][:limit]


async def _all(given: argparse.Namespace, agents: Sequence[Agent], tasks: Sequence[EvalTask]) -> int:
    todo = remaining(agents, tasks, given.model, lines_of(given.out))
    if not todo:
        return 0
    logs = given.out.absolute().with_suffix("")
    if given.base_url:
        door = remote(given.base_url, given.model, given.window)
    else:
        door = embedded(given.model, given.window, given.threads)
    async with door as endpoint:
        for number, (agent, task) in enumerate(todo, 1):
            line = await run_one(agent, task, endpoint, logs, given.seconds)
            append(given.out, line)
            words = "solved" if line.solved else "not solved" if line.status == "done" else line.status
            print(
                f"{number}/{len(todo)}  {agent.name}  {task.name}  {words}, {line.seconds:.0f} s, "
                f"{line.requests} requests, {line.prompt_tokens} ({line.cached_tokens} cached) + "
                f"{line.completion_tokens} tokens {line.error[:160]}",
                file=sys.stderr,
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
