"""Writes a repository of some 3,000 JavaScript modules into the current folder."""

import pathlib

APPS = """museum library theatre opera cinema zoo aquarium garden planetarium archive
harbour ferry airport railway tramway metro buses bikes parking bridges
bakery butcher dairy brewery winery orchard market kitchen canteen catering
clinic pharmacy dentist optician surgery ward lab rescue hospice nursing
school college campus dorm exams grants alumni sports gym pool
court police fire customs passport registry elections census tax parliament""".split()
PARTS = """rows cards forms pages tables charts maps menus dialogs toasts
loader saver cache queue worker timer logger tracer meter probe
users roles rights groups teams guests tokens sessions devices alerts
orders items prices stock basket payment refund invoice receipt voucher
plans tasks steps notes files images sounds videos tags links""".split()
LIBS = {
    "package.json": '{\n  "name": "city",\n  "version": "7.2.0",\n  "private": true,\n  "type": "module",\n  "scripts": { "test": "node --test libs/clock/" }\n}\n',
    "README.md": "# city\n\nLibraries in `libs/`, an application per folder in `apps/`. Dates come from `libs/clock`; `libs/legacy` goes away some day.\n",
    "libs/clock/index.js": 'export { formatStamp, parseStamp } from "./stamp.js";\nexport { addDays } from "./days.js";\n',
    "libs/clock/stamp.js": '/** "2024-03-01 20:15" in UTC as milliseconds; throws a RangeError. */\nexport function parseStamp(text) {\n  const match = /^(\\d{4})-(\\d\\d)-(\\d\\d) (\\d\\d):(\\d\\d)$/.exec(text);\n  if (!match) {\n    throw new RangeError(`parseStamp: ${text}`);\n  }\n  const [year, month, day, hour, minute] = match.slice(1).map(Number);\n  return Date.UTC(year, month - 1, day, hour, minute);\n}\n\n/** The other way round. */\nexport function formatStamp(time) {\n  return new Date(time).toISOString().slice(0, 16).replace("T", " ");\n}\n',
    "libs/clock/days.js": 'import { formatStamp, parseStamp } from "./stamp.js";\n\n/** A stamp some days later. */\nexport function addDays(stamp, days) {\n  return formatStamp(parseStamp(stamp) + days * 86_400_000);\n}\n',
    "libs/clock/stamp.test.js": 'import assert from "node:assert/strict";\nimport test from "node:test";\n\nimport { addDays, formatStamp, parseStamp } from "./index.js";\n\ntest("stamps", () => {\n  assert.equal(formatStamp(parseStamp("2024-02-29 20:15")), "2024-02-29 20:15");\n  assert.throws(() => parseStamp("today"), RangeError);\n  assert.equal(addDays("2024-02-28 00:00", 2), "2024-03-01 00:00");\n});\n',
    "libs/legacy/stamp.js": '/** "1.3.2024" as [year, month, day]. Not the parseStamp of libs/clock. */\nexport function parseStamp(text) {\n  const [day, month, year] = text.split(".").map(Number);\n  return [year, month, day];\n}\n',
}


def module(app, part, number):
    name = part.capitalize()
    lines = [f"/** {name} of the {app}. */"]
    style = number % 601
    if style == 11:
        lines += ['import { parseStamp } from "../../libs/clock/index.js";', "", f"export function since{name}(row) {{", f"  return parseStamp(row.{part}Since);", "}", ""]
    elif style == 50:
        lines += ['import { formatStamp, parseStamp } from "../../libs/clock/stamp.js";', "", f"export function until{name}(row, minutes) {{", f"  return formatStamp(parseStamp(row.{part}Since) + minutes * 60_000);", "}", ""]
    elif style == 99:
        lines += ['import { parseStamp as parse } from "../../libs/clock/index.js";', "", f"export const times{name} = (rows) => rows.map((row) => parse(row.time));", ""]
    elif style == 70:
        lines += ['import { parseStamp } from "../../libs/legacy/stamp.js";', "", f"export function year{name}(row) {{", "  return parseStamp(row.day)[0];", "}", ""]
    elif style == 30:
        lines += ['import * as clock from "../../libs/clock/index.js";', "", f"export const first{name} = (rows) => Math.min(...rows.map(({{ time }}) => clock.parseStamp(time)));", ""]
    elif style == 120:
        lines += ["/** A parseStamp of its own: seconds. */", "export function parseStamp(text) {", "  return Number(text) * 1000;", "}", ""]
    else:
        lines += [""]
    lines += [f"export function find{name}(rows, id) {{", f"  return rows.find((row) => row.id === id && row.kind === \"{part}\") ?? null;", "}", ""]
    lines += [f"export function count{name}(rows) {{", f"  return rows.filter(({{ kind }}) => kind === \"{part}\").length;", "}"]
    return "\n".join(lines) + "\n"


def files():
    """Path -> text."""
    found = dict(LIBS)
    number = 0
    for app in APPS:
        for part in PARTS:
            number += 1
            found[f"apps/{app}/{part}.js"] = module(app, part, number)
    return found


def renamed():
    """The files after the renaming that is asked for, for those that it touches."""
    found = {}
    for path, text in files().items():
        if path.startswith("libs/clock/") or "/libs/clock/" in text and "parseStamp" in text:
            found[path] = text.replace("parseStamp", "parseInstant")
    return found


if __name__ == "__main__":
    for path, text in files().items():
        target = pathlib.Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
