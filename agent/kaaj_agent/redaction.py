"""What must not be told: the keys that Kaaj was given, and what looks like one, taken out of every text that is kept,
logged, shown or sent.

There is one `WITHHELD` for the process, as there is one log: whoever takes a key in makes it known there. Two kinds are
taken out. Known values, wherever they stand; short ones and words are not, since local endpoints take `ollama` for a
key and a text without that word would be worthless. And what is a key by its form (GitHub's scanners know the same
forms), whose makers chose prefixes so that they can be found. The texts of a change are left as they are: what is
written is what was shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from threading import Lock
from typing import Any, Final, TypeVar, cast
from urllib.parse import quote

MARK: Final = "[secret withheld]"
_NAMED: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_LEAST: Final = 8
_LONG: Final = 12

_FORMS: Final = re.compile(
    r"-----BEGIN (?P<kind>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----.{16,16000}?-----END (?P=kind)-----"
    r"|\b(?:"
    r"sk-(?=[\w-]{0,60}\d)[\w-]{20,200}+"  # OpenAI, Anthropic, OpenRouter, DeepSeek
    r"|gh[pousr]_[A-Za-z0-9]{36,255}+|github_pat_\w{40,255}+|glpat-[\w-]{20,60}+"
    r"|xox[abeprs]-[\w-]{10,250}+|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}"
    r"|hf_[A-Za-z0-9]{30,60}+|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,250}+|dckr_pat_[\w-]{20,60}+"
    r"|[sr]k_live_[A-Za-z0-9]{20,250}+|SG\.[\w-]{16,32}+\.[\w-]{16,64}+"
    r"|eyJ[\w-]{6,2000}+\.eyJ[\w-]{6,4000}+\.[\w-]{16,2000}+"  # JSON Web Tokens
    r")(?![\w-])",
    re.DOTALL,
)
_IN_LOGS: Final = re.compile(
    r"(?P<head>\b(?:authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token)\s+|api[_-]?key['\"]?\s*[:=]\s*['\"]?"
    r"|[a-z][a-z0-9+.-]{1,20}://[^\s/:@'\"]{0,100}:))(?P<secret>[^\s'\",;@]{4,400})(?P<tail>@?)",
    re.IGNORECASE,
)
_HINTS: Final = re.compile(
    r"-----BEGIN|sk-|gh[pousr]_|github_pat_|glpat-|xox|A[KS]IA|AIza|hf_|npm_|pypi-|dckr|k_live|SG\.|eyJ"
)
"""What one of the forms begins with: most texts hold none, and are looked at once."""

_BEGINS: Final = (
    "sk-", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "AKIA", "ASIA", "AIza", "hf_",
    "npm_", "pypi-", "dckr_pat_", "sk_live_", "rk_live_", "SG.", "eyJ",
)  # fmt: skip
_WORD_MAX: Final = 8_200
_BLOCK_MAX: Final = 16_200
"""The longest forms have 8,008 characters (a token of three parts) and 16,144 (a key of several lines)."""

_HEAD: Final = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, _BEGINS))})")
_LAST_RUN: Final = re.compile(rf"[\w.-]{{0,{_WORD_MAX}}}+")
"""For a text from back to front: what all forms of one line consist of."""
_PART_OF_HEAD: Final = re.compile(
    rf"(?<!\w)(?:{'|'.join(re.escape(one[:length]) for one in _BEGINS for length in range(1, len(one)))})\Z"
    r"|-----(?:B(?:E(?:GI?)?)?)?\Z|-{1,4}\Z"
)
_PART_MAX: Final = max(map(len, (*_BEGINS, "-----BEGIN"))) - 1
_BLOCK_END: Final = re.compile(r"-----END (?P<kind>[A-Z0-9 ]{0,60})-----")
_BLOCK_END_MAX: Final = 80

_LINE: Final = re.compile(r"[^\r\n]+")

T = TypeVar("T")


class Redactor:
    """Known values grow and never shrink. Safe to use from any thread."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._regex: re.Pattern[str] | None = None
        self._lock = Lock()

    def learn(self, *values: str) -> None:
        """Take these out from now on; words and what is too short to be told from one are passed over."""
        fresh = {form for value in values if _is_secret(value) for form in _spelt(value.strip())}
        with self._lock:
            if fresh <= self._known:
                return
            self._known |= fresh
            longest = sorted(self._known, key=len, reverse=True)
            self._regex = re.compile("|".join(map(re.escape, longest)))

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """The values of variables that are secrets by their names, save for paths and addresses."""
        for name, value in environ.items():
            if _NAMED.search(name) and not value.startswith(("/", "~", ".", "http")):
                self.learn(value)

    def text(self, text: str) -> str:
        """For people and models."""
        if self._regex is not None:
            text = self._regex.sub(MARK, text)
        return _FORMS.sub(_marked, text) if _HINTS.search(text) else text

    def unfinished(self, text: str) -> int:
        """How many characters at the end may be the begin of what is taken out, once more of the text is there."""
        longest = len(text) - _open_form(text)
        for known in self._known:
            reach = range(min(len(known) - 1, len(text)), longest, -1)
            longest = next((length for length in reach if text.endswith(known[:length])), longest)
        if longest:  # and what is whole is not cut
            for found in self._regex.finditer(text) if self._regex is not None else ():
                if found.start() < len(text) - longest < found.end():
                    longest = len(text) - found.start()
            longest = len(text) - _whole_form(text, len(text) - longest)
        return longest

    def log(self, text: str) -> str:
        """For logs and errors: what stands where a password stands goes, too."""
        return _IN_LOGS.sub(lambda found: f"{found['head']}{MARK}{found['tail']}", self.text(text))

    def value(self, value: T) -> T:
        """A value with every text in it redacted: dataclasses, mappings and sequences are gone through."""
        return cast("T", self._gone_through(value))

    def _gone_through(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._gone_through(one) for key, one in cast("Mapping[str, Any]", value).items()}
        if isinstance(value, list):
            return [self._gone_through(one) for one in cast("Sequence[Any]", value)]
        if isinstance(value, tuple):
            return tuple(self._gone_through(one) for one in cast("Sequence[Any]", value))
        if is_dataclass(value) and not isinstance(value, type):
            held = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
            changed = {name: new for name, old in held.items() if (new := self._gone_through(old)) != old}
            return replace(value, **changed) if changed else value
        return value


WITHHELD: Final = Redactor()


def whole(text: str) -> str:
    """A file's text of which lines are going to be shown: a key of several lines cannot be told from some of them.

    Lines keep their numbers.
    """
    return _FORMS.sub(_marked, text) if "PRIVATE KEY" in text else text


def _open_form(text: str) -> int:
    """Where the first form begins whose end is not there yet; the text's end where none does.

    Each step goes over a bounded tail once, whatever the text holds: what a model says must not cost more than that.
    """
    end = len(text)
    run = _last_run(text, end)
    block = max(0, end - _BLOCK_MAX)
    for found in _BLOCK_END.finditer(text, block):
        block = found.start()
    begun = text.find("-----BEGIN", block)
    starts = [
        found.start()
        for found in (_HEAD.search(text, run), _PART_OF_HEAD.search(text, max(0, end - _PART_MAX)))
        if found
    ]
    return min([*starts, end if begun < 0 else begun])


def _whole_form(text: str, cut: int) -> int:
    """Where the first form begins that stands on both sides of `cut`; `cut` where none does."""
    first = cut
    for found in _BLOCK_END.finditer(text, max(0, cut - _BLOCK_END_MAX)):
        begun = text.find(f"-----BEGIN {found['kind']}-----", max(0, found.start() - _BLOCK_MAX))
        if found.end() > cut and 0 <= begun < first:
            first = begun
    seen = -1
    for head in _HEAD.finditer(text, _last_run(text, cut)):
        if head.start() >= first:
            break
        if (
            head[0] == "eyJ"
        ):  # of those before one point, the first decides for all: they differ in their first part alone
            point = text.find(".", head.start(), head.start() + 2_004)
            if point in (-1, seen):
                continue
            seen = point
        if (whole := _FORMS.match(text, head.start())) and whole.end() > cut:
            return head.start()
    return first


def _last_run(text: str, end: int) -> int:
    """Where the run of characters begins that ends at `end`, of which a form of one line may consist."""
    back = text[max(0, end - _WORD_MAX) : end][::-1]
    found = _LAST_RUN.match(back)
    return end - (found.end() if found else 0)


def _marked(found: re.Match[str]) -> str:
    """The mark, on as many lines as the secret has."""
    return _LINE.sub(MARK, found[0])


def _is_secret(value: str) -> bool:
    value = value.strip()
    return len(value) >= _LEAST and "\n" not in value and (len(value) >= _LONG or any(map(str.isdigit, value)))


def _spelt(value: str) -> Iterable[str]:
    """As it is, in an address, and in JSON."""
    return {value, quote(value, safe=""), json.dumps(value)[1:-1]}
