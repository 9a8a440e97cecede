"""Hold the bill of materials against what is locked.

    python .ci/materials.py LOCK BILL [BILL_OF_CLIENT]

Exits 1 where a package of the lock is missing in the bill, another one is in it, or one has no hash.
"""  # noqa: INP001 - a script that stands alone

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def plain(name: str) -> str:
    """As the index spells names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def wrong(lock: str, bill: dict[str, Any], name: str) -> list[str]:
    """What is wrong with a bill, a sentence each. Without a `lock` only its hashes are looked at."""
    rows: list[dict[str, Any]] = bill.get("components", [])
    said = [] if rows else [f"{name} lists nothing."]
    for row in rows:
        places: list[dict[str, Any]] = row.get("externalReferences", [])
        if not row.get("hashes") and not any(place.get("hashes") for place in places):
            said.append(f"{name}: {row['name']} has no hash.")
    if lock:
        locked = {(plain(package), version) for package, version in _PINNED.findall(lock)}
        listed = {(plain(row["name"]), row["version"]) for row in rows}
        said += [f"{name} leaves out {package} {version}." for package, version in sorted(locked - listed)]
        said += [
            f"{name} lists {package} {version}, which is not locked." for package, version in sorted(listed - locked)
        ]
    return said


def main(argv: list[str]) -> int:
    lock, *bills = map(Path, argv)
    said: list[str] = []
    for at, path in enumerate(bills):
        if at == 0 or path.exists():  # the client's is made where there is node
            bill = json.loads(path.read_text("utf-8"))
            said += wrong("" if at else lock.read_text("utf-8"), bill, path.name)
            print(f"{path.name}: {len(bill.get('components', []))} packages")
    print("\n".join(said) or "The bill of materials is what is locked, with a hash for each package.")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
