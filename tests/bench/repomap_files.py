"""A workspace of many files in several languages that refer to each other as real ones do.

A few modules are referred to from everywhere, most from their own package, some from nowhere; a file has 3 to 12
functions with bodies of calls, loops and comments, about 5 KB on average, and each hundredth has 40 KB.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_VERBS = (
    "load",
    "store",
    "parse",
    "render",
    "merge",
    "check",
    "apply",
    "collect",
    "resolve",
    "update",
    "build",
    "send",
)
_NOUNS = (
    "order", "invoice", "customer", "ledger", "basket", "shipment", "account", "session", "report", "price", "stock",
    "address", "payment", "voucher", "catalog", "supplier", "discount", "refund", "schedule", "message", "template",
)  # fmt: skip
_TAILS = ("", "batch", "index", "cache", "summary", "history", "policy", "total", "state", "view")


@dataclass(frozen=True)
class Module:
    """What a file defines: `kind` its class, `functions` at its top, `methods` of the class."""

    path: str
    kind: str
    functions: tuple[str, ...]
    methods: tuple[str, ...]


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _python(one: Module, uses: Sequence[Module], dice: random.Random) -> str:
    rows = [f'"""About {one.kind.lower()}s."""', "", "from __future__ import annotations", ""]
    for other in uses:
        module = other.path.removesuffix(".py").replace("/", ".")
        rows.append(f"from {module} import {other.kind}, {dice.choice(other.functions)}")
    rows += ["", f"LIMIT = {dice.randrange(1000)}", "", "", f"class {one.kind}:"]
    for name in one.methods:
        other = dice.choice(uses)
        rows += [
            f"    def {name}(self, rows: list[{other.kind}], limit: int = LIMIT) -> {other.kind}:",
            '        """What is left after the limit."""',
            "        total = 0",
            "        for index, row in enumerate(rows):",
            "            if index > limit and row is not None:",
            f"                total += self.{dice.choice(one.methods)}(rows[index:], limit - 1).size",
            "            else:",
            f"                total -= {dice.choice(other.functions)}(row, total)",
            f"        return {other.kind}(total)",
            "",
        ]
    for name in one.functions:
        other = dice.choice(uses)
        rows += [
            "",
            f"def {name}(item: {other.kind}, count: int) -> int:",
            f"    # {name.replace('_', ' ')}: the item comes first, and is counted once",
            "    found = {}",
            f"    for key in {dice.choice(other.functions)}(item, count):",
            f"        found[key] = {dice.choice(one.functions)}(item, count - 1) if count else LIMIT",
            f"    return max(found.values(), default={one.kind}().{dice.choice(one.methods)}([item]).size)",
            "",
        ]
    return "\n".join(rows)


def _typescript(one: Module, uses: Sequence[Module], dice: random.Random) -> str:
    rows: list[str] = []
    for other in uses:
        module = "@app/" + other.path.removesuffix(".ts")
        rows.append(f'import {{ {other.kind}, {_camel(dice.choice(other.functions))} }} from "{module}";')
    rows += ["", f"export const LIMIT_{one.kind.upper()} = {dice.randrange(1000)};", "", f"export class {one.kind} {{"]
    for name in one.methods:
        other = dice.choice(uses)
        rows += [
            f"  {_camel(name)}(rows: {other.kind}[], limit = LIMIT_{one.kind.upper()}): number {{",
            "    let total = 0;",
            "    for (const row of rows) {",
            "      if (row && total < limit) {",
            f"        total += {_camel(dice.choice(other.functions))}(row, limit) ?? 0;",
            "      }",
            "    }",
            f"    return total + this.{_camel(dice.choice(one.methods))}(rows, limit - 1);",
            "  }",
            "",
        ]
    rows += ["}", ""]
    for name in one.functions:
        other = dice.choice(uses)
        rows += [
            f"/** {name.replace('_', ' ')}: the item comes first. */",
            f"export function {_camel(name)}(item: {other.kind}, count: number): number {{",
            f"  const made = new {one.kind}();",
            "  const found = new Map<string, number>();",
            f"  for (const key of Object.keys(item)) found.set(key, {_camel(dice.choice(other.functions))}(item));",
            f"  return made.{_camel(dice.choice(one.methods))}([item], count) + found.size;",
            "}",
            "",
        ]
    return "\n".join(rows)


def _go(one: Module, uses: Sequence[Module], dice: random.Random) -> str:
    rows = [f"package {Path(one.path).parent.name}", "", "import (", '\t"fmt"', ")", ""]
    rows += [f"type {one.kind} struct {{", "\tSize int", "\tName string", "}", ""]
    for name in one.methods:
        other = dice.choice(uses)
        rows += [
            f"func (c *{one.kind}) {_pascal(name)}(rows []{other.kind}, limit int) (int, error) {{",
            "\ttotal := 0",
            "\tfor index, row := range rows {",
            "\t\tif index > limit {",
            f'\t\t\treturn 0, fmt.Errorf("{name.replace("_", " ")}: %d", index)',
            "\t\t}",
            f"\t\ttotal += {_pascal(dice.choice(other.functions))}(row, limit)",
            "\t}",
            "\treturn total, nil",
            "}",
            "",
        ]
    for name in one.functions:
        other = dice.choice(uses)
        rows += [
            f"// {_pascal(name)} counts the item once.",
            f"func {_pascal(name)}(item {other.kind}, count int) int {{",
            f"\tmade := &{one.kind}{{Size: count}}",
            f"\tfound, err := made.{_pascal(dice.choice(one.methods))}(nil, count)",
            "\tif err != nil {",
            f"\t\treturn {_pascal(dice.choice(other.functions))}(item, count-1)",
            "\t}",
            "\treturn found",
            "}",
            "",
        ]
    return "\n".join(rows)


def _java(one: Module, uses: Sequence[Module], dice: random.Random) -> str:
    package = str(Path(one.path).parent).replace("/", ".")
    rows = [f"package {package};", ""]
    for other in uses:
        rows.append(f"import {str(Path(other.path).parent).replace('/', '.')}.{other.kind};")
    rows += ["", "/** About it. */", f"public final class {one.kind} {{", "  private int size;", ""]
    for name in (*one.methods, *one.functions):
        other = dice.choice(uses)
        rows += [
            f"  public int {_camel(name)}({other.kind} item, int count) {{",
            "    int total = 0;",
            "    for (int index = 0; index < count; index++) {",
            "      // the item comes first, and is counted once",
            f"      total += item.{_camel(dice.choice(other.functions))}(new {other.kind}(), index);",
            "    }",
            f"    return total + {_camel(dice.choice(one.methods))}(item, count - 1);",
            "  }",
            "",
        ]
    return "\n".join([*rows, "}", ""])


def _rust(one: Module, uses: Sequence[Module], dice: random.Random) -> str:
    rows: list[str] = []
    for other in uses:
        module = other.path.removesuffix(".rs").replace("/", "::")
        rows.append(f"use crate::{module}::{{{other.kind}, {dice.choice(other.functions)}}};")
    rows += [
        "",
        "#[derive(Debug, Clone)]",
        f"pub struct {one.kind} {{",
        "    size: usize,",
        "}",
        "",
        f"impl {one.kind} {{",
    ]
    for name in one.methods:
        other = dice.choice(uses)
        rows += [
            f"    pub fn {name}(&self, rows: &[{other.kind}], limit: usize) -> usize {{",
            "        let mut total = self.size;",
            "        for row in rows.iter().take(limit) {",
            f"            total += {dice.choice(other.functions)}(row, limit);",
            "        }",
            "        total",
            "    }",
            "",
        ]
    rows += ["}", ""]
    for name in one.functions:
        other = dice.choice(uses)
        rows += [
            f"pub fn {name}(item: &{other.kind}, count: usize) -> usize {{",
            f"    let made = {one.kind} {{ size: count }};",
            f"    made.{dice.choice(one.methods)}(&[], count) + {dice.choice(other.functions)}(item, count)",
            "}",
            "",
        ]
    return "\n".join(rows)


def _c(one: Module, uses: Sequence[Module], dice: random.Random) -> str:
    rows = [f'#include "{Path(other.path).stem}.h"' for other in uses]
    rows += ["", f"struct {one.kind.lower()} {{", "  int size;", "};", ""]
    for name in (*one.methods, *one.functions):
        other = dice.choice(uses)
        rows += [
            f"int {name}(struct {other.kind.lower()} *item, int count)",
            "{",
            "  int total = 0;",
            "  for (int index = 0; index < count; index++) {",
            f"    total += {dice.choice(other.functions)}(item, index);",
            "  }",
            f"  return total > 0 ? total : {dice.choice(one.functions)}(0, count - 1);",
            "}",
            "",
        ]
    return "\n".join(rows)


_LANGUAGES: tuple[tuple[str, float, Callable[[Module, Sequence[Module], random.Random], str]], ...] = (
    (".py", 0.35, _python),
    (".ts", 0.25, _typescript),
    (".go", 0.12, _go),
    (".java", 0.12, _java),
    (".rs", 0.08, _rust),
    (".c", 0.08, _c),
)


def generate(folder: Path, count: int, seed: int = 1) -> int:
    """Write `count` files below an empty folder; how many bytes they are."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    size = 0
    for suffix, share, write in _LANGUAGES:
        wanted = max(1, round(count * share))
        modules = [_module(number, suffix, dice) for number in range(wanted)]
        for number, one in enumerate(modules):
            central = [modules[min(wanted - 1, int(dice.paretovariate(0.9)))] for _ in range(2)]
            near = [modules[max(0, number - dice.randrange(1, 20))] for _ in range(3)]
            uses = list(dict.fromkeys([*central, *near]))
            text = write(one, uses, dice)
            path = folder / one.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            size += len(text)
    return size


def _module(number: int, suffix: str, dice: random.Random) -> Module:
    noun, other = dice.choice(_NOUNS), dice.choice(_NOUNS)
    language = suffix[1:]
    long = number % 100 == 99
    names = [
        f"{dice.choice(_VERBS)}_{noun}_{dice.choice(_TAILS) or other}_{number % 97}"
        for _ in range(dice.randrange(6, 20) * (6 if long else 1))
    ]
    names = list(dict.fromkeys(names))
    half = max(1, len(names) // 2)
    kind = f"{_pascal(noun)}{_pascal(other)}{number}"
    stem = kind if suffix == ".java" else f"{noun}_{other}_{number}"
    path = f"{language}src/{_NOUNS[number // 40 % len(_NOUNS)]}/part{number // 40}/{stem}{suffix}"
    return Module(path, kind, tuple(names[:half]), tuple(names[half:] or names[:1]))
