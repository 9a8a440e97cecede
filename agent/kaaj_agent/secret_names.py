"""Which files hold keys and passwords, told by their names. The user can add names and take some off; nobody else can.

Names are those of one file or folder (no `/`), with `*` and `?` as shells have them, and letter case does not count.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

NAMES: Final = (
    ".env", ".env.*", "*.env", ".env~", "..env.sw?", ".envrc", "*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.ppk",
    "*.jks", "*.keystore", "*.kdbx", "*.ovpn", "*.tfstate", "*.tfstate.*",
    "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk",
    ".netrc", "_netrc", ".pypirc", ".pgpass", ".my.cnf", ".git-credentials", ".htpasswd", ".vault-token",
    "secrets.toml", "secrets.yml", "secrets.yaml", "secrets.json", "credentials.json", "client_secret*.json",
    ".ssh", ".gnupg", ".aws", ".azure", ".kube",
)  # fmt: skip
"""Withheld unless the user's list takes them off."""

HARMLESS: Final = (".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults")


@dataclass(frozen=True, slots=True)
class SecretNames:
    """A list in which the last pattern that fits decides; one with `!` in front takes off."""

    patterns: tuple[tuple[bool, re.Pattern[str]], ...]
    any_of_them: re.Pattern[str]
    """Fits where one of the patterns does: by it alone most names of a large workspace are done with."""

    @classmethod
    def of(cls, user: Sequence[str] = ()) -> Self:
        """What is built in, then the user's own names."""
        rows = [*NAMES, *(f"!{name}" for name in HARMLESS), *user]
        patterns = tuple(_pattern(row.strip().rstrip("/")) for row in reversed(rows) if row.strip("!/ "))
        return cls(patterns, re.compile("|".join(pattern.pattern for _, pattern in patterns), re.IGNORECASE))

    def hold(self, name: str) -> bool:
        # Windows drops dots and blanks at the end of a name, and takes what follows a colon for a stream of the file.
        bare = name.partition(":")[0].rstrip(". ") or name
        if not self.any_of_them.match(bare):
            return False
        return next(secret for secret, pattern in self.patterns if pattern.match(bare))


def _pattern(row: str) -> tuple[bool, re.Pattern[str]]:
    return not row.startswith("!"), re.compile(fnmatch.translate(row.removeprefix("!")), re.IGNORECASE)
