"""The loop for models that use tools on their own: ask, execute, until a reply calls no tool; then the check.

A fix is tried by the embedded model first, where it is on this machine and a check can tell.
"""

from __future__ import annotations

from typing import Final

from kaaj_agent.guided.first_try import first_try
from kaaj_agent.prompt import check_failed
from kaaj_agent.work import Outcome, Work

CHECK_ROUNDS: Final = 4
BAD_REPLIES_MAX: Final = 3

CUT: Final = (
    "Your reply was cut at its length limit, so nothing of it was executed. "
    "Go on in smaller pieces, one call at a time."
)
EMPTY: Final = "Your reply was empty. Call a tool, or end with a short summary."


async def run(work: Work) -> Outcome:
    """Raises LimitReachedError, ModelError, CancelledError; what is staged by then stays staged."""
    if (mended := await first_try(work)) is not None:
        return mended
    rounds = bad = 0
    failed_at = -1  # the state of the work that the model last heard the failure of
    reminded: set[str] = set()
    while True:
        reply = await work.ask()
        if reply.calls:
            bad = 0
            await work.execute(reply.calls)
            continue
        cut = reply.finish == "length"
        if cut or not reply.text.strip():
            bad += 1
            if bad > BAD_REPLIES_MAX:
                why = "was cut at its length limit" if cut else "was empty"
                return Outcome("stopped", f"Stopped: the model's reply {why} {bad} times in a row.")
            work.tell(CUT if cut else EMPTY)
            continue
        if work.bench.plan_only:
            return Outcome("done", reply.text.strip())
        if _remind(work, reminded):
            continue
        if not work.staging.files:
            return Outcome("done", reply.text.strip())
        check = await work.check()
        work.settle(check)
        rounds += 1
        if check.ok:
            if _remind(work, reminded):  # something was added during the check
                continue
            return Outcome("done", reply.text.strip())
        if work.staging.revision == failed_at:  # it was told, and leaves it at that
            return Outcome("stopped", f"The check fails, and nothing more was changed.\n{reply.text.strip()}")
        failed_at = work.staging.revision
        if rounds >= CHECK_ROUNDS:
            return Outcome("stopped", f"The check still fails after {rounds} rounds.\n{reply.text.strip()}")
        work.notice(f"The check `{check.command or 'parse'}` fails; the model mends it.")
        work.tell(check_failed(check.command or "parse", check.output))


def _remind(work: Work, reminded: set[str]) -> bool:
    """Tell the model once of each item of the user's that it would leave open; whether there was any to tell of."""
    left = {item.id for item in work.left}
    if left <= reminded:
        return False
    reminded |= left
    work.remind()
    return True
