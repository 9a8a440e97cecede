"""Surprise-guided repair on seeded faults: how many are solved, and how fast.

python -m tests.bench.repair [--model qwen2.5-coder-1.5b] [--count 20] [--seconds 60]
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.faults import FAULTS, Fault

from kaaj_agent.embedded.lease import acquire
from kaaj_agent.embedded.models import DEFAULT_MODEL
from kaaj_agent.embedded.scorer import LlamaScorer
from kaaj_agent.repair.search import Budget, repair
from kaaj_agent.repair.unit import Candidate, Unit, Verdict

RUNNER = """
import sys
space = {}
exec(compile(open(sys.argv[1]).read(), "code.py", "exec"), space)
good = 0
for check in sys.argv[2:]:
    try:
        if eval(check, dict(space)):
            good += 1
        else:
            left, _, right = check.rpartition(" == ")
            print(left, "\\nexpected:", right, "\\ngot:", repr(eval(left, dict(space))), file=sys.stderr)
    except Exception as error:
        print(check, "raised", type(error).__name__, error, file=sys.stderr)
print(good)
"""


def parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


async def judge_text(text: str, fault: Fault) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "code.py"
        file.write_text(text, "utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", "-c", RUNNER, str(file), *fault.checks,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(5):
                out, errors = await process.communicate()
        except TimeoutError:
            return Verdict(passed=False, output="it does not end")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    good = int(out.strip() or b"0") if process.returncode == 0 else 0
    return Verdict(good == len(fault.checks), good, errors.decode("utf-8", "replace"))


def same(text: str, other: str) -> bool:
    return parses(text) and ast.dump(ast.parse(text)) == ast.dump(ast.parse(other))


async def solve(scorer: LlamaScorer, fault: Fault, seconds: float) -> tuple[bool, bool, float, int, str]:
    """Solved, the best is the original, seconds until the search ended, candidates judged, what was found."""
    first = (await judge_text(fault.broken, fault)).output.strip()
    failure = "\n".join(first.splitlines()[:3])
    lines = fault.broken.count("\n")
    unit = Unit(Path("code.py"), "python", fault.broken, 1, lines, fault.purpose, failure, parses)
    judged = 0

    async def judge(candidate: Candidate) -> Verdict:
        nonlocal judged
        judged += 1
        return await judge_text(candidate.text, fault)

    began = time.monotonic()
    found = await repair(scorer, [unit], judge, budget=Budget(seconds=seconds))
    took = time.monotonic() - began
    best = found[0].candidate if found else None
    what = f"{best.description} ({best.logprob:.1f}, {len(found)} passed)" if best else "-"
    return bool(found), bool(best and same(best.text, fault.code)), took, judged, what


async def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--count", type=int, default=len(FAULTS))
    parser.add_argument("--seconds", type=float, default=60.0, help="per fault")
    given = parser.parse_args()
    results: list[tuple[bool, bool, float, int, str]] = []
    async with await acquire(given.model) as lease:
        scorer = LlamaScorer(lease.native_url, lease.api_key, lease.scan_url)
        try:
            for fault in FAULTS[: given.count]:
                result = await solve(scorer, fault, given.seconds)
                results.append(result)
                solved, original, took, judged, what = result
                mark = "same" if original else "pass" if solved else "MISS"
                print(f"{mark} {fault.name:12} {took:6.1f} s {judged:4} judged  {what}", flush=True)
        finally:
            await scorer.close()
    done = [result for result in results if result[0]]
    middle = statistics.median(result[2] for result in results)
    print(
        f"{given.model}: solved {len(done)} of {len(results)}, the original {sum(r[1] for r in results)}, "
        f"median {middle:.1f} s, judged {statistics.median(r[3] for r in results):.0f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
