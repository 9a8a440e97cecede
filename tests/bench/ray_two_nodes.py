"""An evaluation on two Ray nodes, one of which is lost in mid-run: every result is there, and there once.

python -m tests.bench.ray_two_nodes [--runs 12] [--seconds 2]

Both nodes are processes of this machine, on 127.0.0.1; the model is a scripted one that takes `--seconds` for each
answer. Needs the extra `cluster`. Exits 1 where a result is missing, double or wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import importlib.util
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from kaaj_agent.testing import ScriptedEndpoint, answer, answer_calls
from kaaj_server.cli.eval_ray import LOOPBACK

EDIT: Final = answer_calls(("edit", {"path": "a.py", "old": "x * 3", "new": "x * 2"}))
DONE: Final = answer("It doubles now.")
TASK: Final = """\
prompt = "double() must double"
check = "python3 -c 'from a import double; assert double(2) == 4'"
timeout = 120
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=2.0, help="what the model takes for an answer")
    given = parser.parse_args()
    if importlib.util.find_spec("ray") is None:
        print("left out: Ray is not installed (pip install 'kaaj[cluster]')")
        return 0
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", LOOPBACK: "0"}
    with tempfile.TemporaryDirectory(prefix="kaaj-ray-") as folder:
        os.environ["RAY_TMPDIR"] = folder
        return asyncio.run(show(Path(folder), given.runs, given.seconds))


async def show(folder: Path, runs: int, seconds: float) -> int:
    task = folder / "task"
    (task / "workspace").mkdir(parents=True)
    (task / "task.toml").write_text(TASK)
    (task / "workspace" / "a.py").write_text("def double(x):\n    return x * 3\n")
    out = folder / "results.jsonl"

    async def reply(body: Any) -> Any:
        await asyncio.sleep(seconds)
        return DONE if any(message["role"] == "tool" for message in body["messages"]) else EDIT

    cluster, second = two_nodes()  # in the main thread, as Ray wants it
    try:
        async with ScriptedEndpoint(last=reply) as endpoint:
            began = time.monotonic()
            evaluation = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "kaaj_server", "eval", str(task), "--out", str(out), "--seeds", str(runs),
                "--base-url", endpoint.base_url, "--model", "scripted", "--ray", str(cluster.address),
                env={**os.environ, "KAAJ_STATE_DIR": str(folder / "state"), "KAAJ_API_KEY": "none"},
            )  # fmt: skip
            lost: list[int] = []
            workers: list[int] = []
            while evaluation.returncode is None and (len(rows(out)) < max(1, runs // 4) or not lost):
                await asyncio.sleep(0.1)
                lost, workers = await asyncio.to_thread(under_way, second)
            there = len(rows(out))
            cluster.remove_node(second, allow_graceful=False)
            print(f"after {there} of {runs} results, a node is killed; under way on it: seeds {lost}", flush=True)
            print(f"Ray's own worker of a run: {[size // 1024**2 for size in workers]} MiB", flush=True)
            code = await evaluation.wait()
            took = time.monotonic() - began
            begun = sum(not any(m["role"] == "tool" for m in body["messages"]) for body in endpoint.prompts)
    finally:
        cluster.shutdown()
    return judge(rows(out), runs, code, begun, took)


def two_nodes() -> tuple[Any, Any]:
    """A cluster of two nodes with two places each, and the node that is not its head."""
    module: Any = importlib.import_module("ray.cluster_utils")
    node = {"num_cpus": 2, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    cluster = module.Cluster(initialize_head=True, head_node_args=node)
    second = cluster.add_node(num_cpus=2, node_ip_address="127.0.0.1")
    cluster.wait_for_nodes()
    return cluster, second


def under_way(node: Any) -> tuple[list[int], list[int]]:
    """Of the runs below a node's own process: their seeds, and the bytes (PSS) of Ray's worker of each."""
    psutil: Any = importlib.import_module("psutil")
    seeds: set[int] = set()
    workers: list[int] = []
    for info in node.all_processes.get("raylet", []):
        for process in psutil.Process(info.process.pid).children(recursive=True):
            try:
                words = process.cmdline()
                if words and words[0].startswith("ray::run_there"):
                    workers.append(process.memory_full_info().pss)
            except psutil.Error:
                continue
            if "kaaj_server" in words and "--seed" in words:
                seeds.add(int(words[words.index("--seed") + 1]))
    return sorted(seeds), workers


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def judge(results: list[dict[str, Any]], runs: int, code: int, begun: int, took: float) -> int:
    counts = Counter(row["seed"] for row in results)
    missing = sorted(set(range(1, runs + 1)) - counts.keys())
    double = sorted(seed for seed, count in counts.items() if count > 1)
    solved = sum(row["solved"] for row in results)
    print(
        f"{len(results)} results of {runs} runs, {solved} solved, in {took:.1f} s; missing {missing}, double {double}"
    )
    print(f"{begun} times a run asked the model first: {begun - runs} for the second time, its node being lost")
    return int(bool(code or missing or double or solved != runs))


if __name__ == "__main__":
    sys.exit(main())
