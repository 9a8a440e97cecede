"""What simple commands do: wrappers are taken off, nested scripts handed on, and places that are written to noted."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Final

from kaaj_agent.command_policy import programs
from kaaj_agent.command_policy.findings import NOTHING, Findings, Input, once
from kaaj_agent.command_policy.places import Places
from kaaj_agent.command_policy.shown import visible
from kaaj_agent.command_policy.words import Variables, Word, fields, literal

_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_ALTERNATIVES: Final = 16
_SPLIT: Final = re.compile(r"\A-[i0v]+S")
"""The option -S of `env`, with others in one word."""

_STDIN: Final = ("/dev/stdin", "/dev/fd/0", "/proc/self/fd/0")
_IN_PLACE: Final = re.compile(r"--in-place|-[nErsuzplaw0]*i")
_PLAIN_FLAGS: Final = re.compile(r"-[^AHXFTEUdubmewo-]*\Z")
"""Short options in one word, before the one that takes a value; without those that often take one themselves."""


@dataclass(slots=True)
class Calls(ABC):
    """A script that is being read. `base` is the folder it is in, None once that is not known any more."""

    found: Findings
    places: Places
    variables: Variables
    base: str | None
    depth: int = 0

    @abstractmethod
    def nested(self, text: str, *, same_shell: bool = False, given: Input = NOTHING) -> None:
        """Read a script inside of this one; with `same_shell` it shares its variables and folder. It reads `given`."""

    def writes(self, word: Word) -> None:
        for text in word.texts():
            if (place := self.places.outside(text, self.base)) is not None:
                self.found.refuse(f"It writes to {visible(place, lines=False)}, which is {self.places.kind}.")

    def assigned(self, name: str) -> None:
        if name in programs.LOADERS:
            self.found.remark(f"It sets {name}, which decides what else is run.")

    def call(self, words: list[Word], given: Input) -> None:
        """One program with its words, wrappers included."""
        first, rest = words[0], words[1:]
        if not first.known:
            shown = visible(" ".join(first.raw.split())[:80])
            self.found.doubt(f"Which program it runs is only decided when it runs: {shown}")
            return
        if not first.whole and "$" in first.raw and "IFS" in self.variables.known:
            self.found.doubt(f"Where `{visible(first.raw)}` is cut into words is only decided when it runs.")
            return
        for text in first.texts():
            parts = [text] if first.whole else fields(text)
            if parts:
                self._program(parts[0], [*map(literal, parts[1:]), *rest], given)

    def _program(self, path: str, rest: list[Word], given: Input) -> None:
        name = path.rpartition("/")[2]
        once(self.found.programs, path)
        if not path.isascii():
            self.found.remark(f"The name of `{visible(path, lines=False)}` holds letters that may only look familiar.")
        if name in programs.RIGHTS:
            self.found.refuse(f"It asks for another user's rights (`{name}`); commands have only their own.")
        elif name in programs.MACHINE or name.startswith("mkfs."):
            self.found.refuse(f"`{name}` changes the machine, not the workspace.")
        elif name in programs.SHELLS:
            self._shell(name, rest, given)
        elif name == "eval":
            self._text(rest, "eval", same_shell=True, given=given)
        elif name == "trap":
            rest = [word for word in rest if "--" not in word.texts()]
            self._text(rest[:1], "trap", same_shell=True)
        elif name in (".", "source"):
            self._sourced(name, rest, given)
        elif name == "alias":
            for word in rest:
                for text in word.texts():
                    self.nested(text.partition("=")[2])
        elif name in ("cd", "pushd", "popd"):
            self._moves(name, rest)
        elif name == "find":
            self._find(rest, given)
        elif name == "script":
            self._script(rest)
        elif name == "ld.so" or name.startswith(("ld-linux", "ld-musl")):
            self._wrapped(name, programs.LOADER, rest, given)
        elif name in programs.WRAPPERS:
            self._wrapped(name, programs.WRAPPERS[name], rest, given)
        else:
            self._ordinary(name, rest, given)

    def _ordinary(self, name: str, rest: list[Word], given: Input) -> None:
        operands = tuple(next(word.texts(), "") for word in rest)
        bare = tuple(text for text in operands if not text.startswith("-"))
        if programs.wants_network(name, bare):
            once(self.found.network, name)
        if bare and (name, bare[0]) in programs.RUNNERS:
            at = operands.index(bare[0])
            self._wrapped(name, programs.Wrapper(), rest[at + 1 :], given)
        for builtin, option in programs.CALLBACKS:
            if name == builtin and option in operands:
                self._text(rest[operands.index(option) + 1 :][:1], name)
        if (name, bool(operands) and operands[0]) in (("enable", "-f"), ("hash", "-p")):
            self.found.doubt(f"`{name} {operands[0]}` decides what names of programs mean from then on.")
        if name in programs.TAKING_ASSIGNMENTS:
            for text in operands:
                if _ASSIGNMENT.match(text):
                    self.assigned(text.partition("=")[0])
        if name == "git":
            for at, text in enumerate(operands[:-1]):
                if text in ("-c", "--config-env"):
                    self.found.remark(
                        f"It sets git's {visible(operands[at + 1].partition('=')[0][:80])} for this call."
                    )
        if name in ("sed", "perl") and any(map(_IN_PLACE.match, operands)):
            self._write_operands(programs.Writer(skip=1), rest)
        elif name == "dd":
            for word in rest:
                for text in word.texts():
                    if text.startswith("of="):
                        self.writes(literal(text[3:]))
        if name in programs.WRITERS:
            self._write_operands(programs.WRITERS[name], rest)

    def _write_operands(self, writer: programs.Writer, rest: list[Word]) -> None:
        operands: list[Word] = []
        at = 0
        while at < len(rest):
            text = next(rest[at].texts(), "")
            if text in writer.into and at + 1 < len(rest):
                self.writes(rest[at + 1])
                at += 1
            elif text.startswith("--") and text.partition("=")[0] in writer.into:
                self.writes(literal(text.partition("=")[2]))
            elif (value := _joined_value(text, writer.into)) is not None:
                self.writes(literal(value) if value else rest[at + 1] if at + 1 < len(rest) else literal(""))
                at += not value
            elif text in writer.taking:
                at += 1
            elif not text.startswith("-") or text == "-":
                operands.append(rest[at])
            at += 1
        for word in (
            operands[-1:] if writer.last and len(operands) > 1 else [] if writer.last else operands[writer.skip :]
        ):
            self.writes(word)

    def _moves(self, name: str, rest: list[Word]) -> None:
        operands = [word for word in rest if not any(text.startswith("-") and text != "-" for text in word.texts())]
        if name == "popd" or len(operands) > 1:
            self.base = None
        elif not operands:
            self.base = self.places.home
        else:
            texts = list(operands[0].texts())
            known = len(texts) == 1 and operands[0].known and texts[0] != "-"
            self.base = self.places.join(texts[0], self.base) if known else None

    def _shell(self, name: str, rest: list[Word], given: Input) -> None:
        at = 0
        runs_text = False
        while at < len(rest):
            if not rest[at].known:
                self.found.doubt(f"What `{name}` runs is only decided when it runs: {rest[at].raw[:80]}")
                return
            text = next(rest[at].texts(), "")
            if text in ("-", "--") or not text.startswith(("-", "+")):
                at += text in ("-", "--")
                break
            short = not text.startswith("--")
            runs_text = runs_text or (short and "c" in text[1:]) or text == "--command"
            if short and "s" in text[1:] and not runs_text:
                rest = rest[:at]
                break
            # Each `o` of a bundle takes a word of its own, as in `-euo pipefail -c`.
            at += 1 + (sum(map(text[1:].lower().count, "o")) if short else text in ("--rcfile", "--init-file"))
        if runs_text:
            self._text(rest[at : at + 1] or [Word("", None)], name, given=given)  # with xargs, it reads it
        elif at < len(rest) and not set(_STDIN).intersection(rest[at].texts()):
            return  # a script in a file: what it does is seen by running it
        else:
            self._read_from(name, given)

    def _sourced(self, name: str, rest: list[Word], given: Input) -> None:
        if rest and rest[0].raw.startswith("<("):
            self._read_from(name, Input(fed=True))
        elif rest and set(_STDIN).intersection(rest[0].texts()):
            self._read_from(name, given, same_shell=True)

    def _read_from(self, name: str, given: Input, *, same_shell: bool = False) -> None:
        """A shell takes its script from what it reads."""
        if given.texts:
            for word in given.texts:
                self._text([word], name, same_shell=same_shell)
        elif given.fed:
            self.found.doubt(f"`{name}` runs what another command prints, which is not known before.")

    def _script(self, rest: list[Word]) -> None:
        """script(1), which runs what stands behind `-c`."""
        for at, word in enumerate(rest):
            for text in word.texts():
                if text == "--command" or (text[:1] == "-" != text[1:2] and text.endswith("c")):
                    self._text(rest[at + 1 : at + 2], "script")
                elif text.startswith("--command="):
                    self._text([literal(text.partition("=")[2])], "script")

    def _text(self, words: list[Word], name: str, *, same_shell: bool = False, given: Input = NOTHING) -> None:
        """A script that is given as text."""
        if any(not word.known and word.values is None for word in words):
            self.found.doubt(f"`{name}` runs a text that is only put together when it runs.")
            return
        texts = [""]
        for word in words:
            texts = [f"{before} {text}".strip() for before in texts for text in word.texts()][:_ALTERNATIVES]
        for text in texts:
            self.nested(text, same_shell=same_shell, given=given)

    def _wrapped(self, name: str, wrapper: programs.Wrapper, rest: list[Word], given: Input) -> None:
        """What a wrapper starts."""
        at, skip = 0, wrapper.skip
        base = self.base
        while at < len(rest):
            text = next(rest[at].texts(), None)
            if text is None:
                break
            if text == "--":
                at += 1
                continue
            text = _SPLIT.sub("-S", text) if name == "env" else text
            if name == "env" and (text.startswith(("-S", "--split-string"))):
                # Its value is a command line of its own, in quotes much like the shell's.
                value = text.removeprefix("--split-string").removeprefix("-S").removeprefix("=")
                self._text([literal(value), *rest[at + 1 :]] if value else rest[at + 1 :], "env", given=given)
                return
            if text in ("-c", "--command") and name in ("flock", "xvfb-run"):
                self._text(rest[at + 1 : at + 2], name)
                return
            if name == "command" and text in ("-v", "-V"):
                return
            if text.startswith("-") and len(text) > 1:
                if text in ("-C", "--chdir"):
                    self.base = None
                if name == "xargs" and text.startswith(("-I", "-i", "--replace")):
                    given_with = text.removeprefix("--replace").removeprefix("-I").removeprefix("-i").removeprefix("=")
                    after = next(rest[at + 1].texts(), "") if text == "-I" and at + 1 < len(rest) else "{}"
                    rest = [*rest[: at + 1], *(_filled(word, given_with or after) for word in rest[at + 1 :])]
                at += 2 if text in wrapper.taking else 1
            elif name == "coproc" and at + 1 < len(rest) and "{" in rest[at + 1].texts():
                at += 1  # its name
            elif wrapper.assigns and "=" in text:
                self.assigned(text.partition("=")[0])
                at += 1
            elif skip:
                skip -= 1
                at += 1
            else:
                break
        if at < len(rest):
            if name in ("npx", "bunx", "uvx"):
                once(self.found.network, name)
            if name == "parallel" and ":::" in rest[at].texts():
                for word in rest[at + 1 :]:
                    self._text([word], name)
            elif name in ("watch", "parallel"):
                self._text(rest[at:], name)
            else:
                # xargs hands on what it reads as operands; where they go cannot be told, so a shell must not take them.
                self.call(rest[at:], Input(fed=True, added=True) if name == "xargs" else given)
        elif given.added:
            self.found.doubt(f"Which program `{name}` runs is only decided when it runs.")
        self.base = base

    def _find(self, rest: list[Word], given: Input) -> None:
        texts = [next(word.texts(), "") for word in rest]
        starts = 0
        while starts < len(texts) and texts[starts] and not texts[starts].startswith(("-", "(", "!")):
            starts += 1
        if "-delete" in texts:
            for word in rest[:starts]:
                self.writes(word)
        for at, text in enumerate(texts):
            if text in ("-exec", "-execdir", "-ok", "-okdir"):
                end = next((i for i in range(at + 1, len(texts)) if texts[i] in (";", "+")), len(texts))
                self.call([_filled(word, "{}") for word in rest[at + 1 : end]] or [literal("true")], given)
            elif text in ("-fprint", "-fprintf", "-fls", "-fprint0") and at + 1 < len(rest):
                self.writes(rest[at + 1])


def _filled(word: Word, mark: str) -> Word:
    """A word in which something that is not known stands for `mark`."""
    if not mark or word.values is None or not any(mark in text for text in word.values):
        return word
    if word.values == frozenset((mark,)):
        return replace(word, values=None)
    return replace(word, values=frozenset(text.replace(mark, "$__") for text in word.values))


def _joined_value(text: str, options: frozenset[str]) -> str | None:
    """The value in a word such as `-rt/etc`, empty where it is the next word; None where it holds no such option."""
    if text.startswith("--") or not text.startswith("-"):
        return None
    for at in range(1, len(text)):
        if "-" + text[at] in options and _PLAIN_FLAGS.match(text[:at]):
            return text[at + 1 :]
    return None
