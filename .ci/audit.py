"""Look the locked packages up among the known holes, and say plainly what could not be looked up.

    python .ci/audit.py PIP_AUDIT LOCK...

pip-audit by itself says "No known vulnerabilities found" also where it could not ask about a single package. Exits 1
where a hole is known, 2 where nothing could be looked up and `KAAJ_AUDIT=required`, else 0.
"""  # noqa: INP001 - a script that stands alone

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

_SECONDS = 600


def audit(program: str, lock: str, folder: Path) -> tuple[dict[str, Any], str]:
    """What pip-audit found, and what it said; nothing found where it could not work."""
    out = folder / "audit.json"
    argv = [program, "--disable-pip", "--require-hashes", "--progress-spinner=off", "--format=json", f"--output={out}"]
    try:
        ended = subprocess.run([*argv, "-r", lock], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {}, f"it took more than {_SECONDS} s"
    found: dict[str, Any] = json.loads(out.read_text()) if out.exists() and out.stat().st_size else {}
    return found, ended.stderr.strip().rpartition("\n")[2]


def main(argv: list[str]) -> int:
    program, *locks = argv
    looked = holes = 0
    for lock in locks:
        with tempfile.TemporaryDirectory() as folder:
            found, said = audit(program, lock, Path(folder))
        rows = found.get("dependencies", [])
        asked = [row for row in rows if "vulns" in row]
        looked += len(asked)
        for row in asked:
            for hole in row["vulns"]:
                holes += 1
                mended = ", ".join(hole["fix_versions"]) or "no release yet"
                print(f"{lock}: {row['name']} {row['version']}: {hole['id']}; mended in {mended}")
        if not rows:
            print(f"{lock}: NOT AUDITED: {said[:200]}")
        elif len(asked) < len(rows):
            print(f"{lock}: {len(asked)} of {len(rows)} packages looked up; of the others the index here knows nothing")
        else:
            print(f"{lock}: {len(asked)} packages looked up")
    if not looked:
        print("NOT AUDITED: the data on known holes cannot be reached from this machine. Nothing is known either way.")
        return 2 if os.environ.get("KAAJ_AUDIT") == "required" else 0
    print(f"{holes} known holes" if holes else "No known holes in what was looked up.")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
