"""What a proposal is called, in a question and in a document."""

from __future__ import annotations

from kaaj_agent.changes import ChangeSet, CheckResult


def check_line(check: CheckResult | None) -> str:
    """The check's result in a few words."""
    if check is None:
        return "not checked"
    if not check.parsed:
        return "does not parse"
    match check.status:
        case "passed":
            return f"check passed: {check.command}"
        case "failed":
            return f"check FAILED: {check.command}"
        case "none":
            return "parses; no check was run"


def question(change: ChangeSet) -> str:
    """The text above the buttons."""
    summary = change.summary.strip() or "A change is ready."
    names = ", ".join(file.target.name for file in change.files[:4])
    more = f" and {len(change.files) - 4} more" if len(change.files) > 4 else ""
    return f"Kaaj: {summary}\n{names}{more} · {check_line(change.check)}"
