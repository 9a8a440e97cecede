"""Writes handlers.py, the commands of a depot's back office, into the current folder."""

import pathlib

# entity, its plural, fields (name: "text", "number" or another entity that it refers to)
ENTITIES = [
    ("supplier", "suppliers", {"name": "text", "city": "text"}),
    ("customer", "customers", {"name": "text", "email": "text"}),
    ("carrier", "carriers", {"name": "text", "phone": "text"}),
    ("warehouse", "warehouses", {"name": "text", "capacity": "number"}),
    ("shelf", "shelves", {"name": "text", "warehouse": "warehouse"}),
    ("category", "categories", {"name": "text", "rank": "number"}),
    ("product", "products", {"name": "text", "category": "category", "supplier": "supplier"}),
    ("price_list", "price_lists", {"name": "text", "percent": "number"}),
    ("contract", "contracts", {"name": "text", "customer": "customer", "price_list": "price_list"}),
    ("region", "regions", {"name": "text", "rank": "number"}),
    ("depot", "depots", {"name": "text", "region": "region"}),
    ("driver", "drivers", {"name": "text", "carrier": "carrier"}),
    ("vehicle", "vehicles", {"name": "text", "carrier": "carrier", "depot": "depot"}),
    ("route", "routes", {"name": "text", "region": "region", "driver": "driver"}),
    ("shipment", "shipments", {"name": "text", "carrier": "carrier", "customer": "customer"}),
    ("pallet", "pallets", {"name": "text", "shelf": "shelf", "product": "product"}),
    ("invoice", "invoices", {"name": "text", "customer": "customer", "cents": "number"}),
    ("reminder", "reminders", {"name": "text", "invoice": "invoice"}),
    ("return_case", "return_cases", {"name": "text", "shipment": "shipment", "product": "product"}),
    ("scanner", "scanners", {"name": "text", "warehouse": "warehouse"}),
    ("employee", "employees", {"name": "text", "depot": "depot"}),
    ("badge", "badges", {"name": "text", "employee": "employee"}),
    ("tariff", "tariffs", {"name": "text", "region": "region", "cents": "number"}),
    ("gate", "gates", {"name": "text", "depot": "depot"}),
    ("locker", "lockers", {"name": "text", "employee": "employee"}),
    ("complaint", "complaints", {"name": "text", "customer": "customer", "invoice": "invoice"}),
    ("inspection", "inspections", {"name": "text", "vehicle": "vehicle"}),
]
HEAD = """\
\"\"\"The commands of the back office: create, rename, change, archive, restore, find and list, for every kind of thing.

Every command takes the store first and raises RuleBroken, with a text for people, where it must not be done; then
nothing has changed. What is archived stays in the store, is not found or listed, and its name is free for others.
\"\"\"

from store import RuleBroken
"""


def users(entity):
    """Who refers to an entity: (plural, field)."""
    return [(plural, field) for _, plural, fields in ENTITIES for field, kind in fields.items() if kind == entity]


def functions(entity, plural, fields, slip):
    words = entity.replace("_", " ")
    names = ", ".join(fields)
    lines = ["", "", f"# --- {plural.replace('_', ' ')} " + "-" * (70 - len(plural)), "", ""]
    lines += [f"def create_{entity}(store, {names}):", f'    """A new {words}; returns its number."""']
    lines += ["    name = name.strip()", "    if not name:", f'        raise RuleBroken("a {words} needs a name")']
    lines += [f'    if any(row["name"] == name for row in store.current("{plural}")):', f'        raise RuleBroken(f"there is a {words} called {{name}} already")']
    for field, kind in fields.items():
        if kind == "number":
            lines += [f"    if {field} < 0:", f'        raise RuleBroken("{field} must not be below 0")']
        elif kind != "text":
            target = next(p for e, p, _ in ENTITIES if e == kind)
            lines += [f'    if not store.is_current("{target}", {field}):', f'        raise RuleBroken(f"there is no {kind.replace("_", " ")} {{{field}}}")']
    inside = ", ".join(f'"{field}": {field}' for field in fields)
    lines += [f'    return store.insert("{plural}", {{{inside}}})', "", ""]
    lines += [f"def rename_{entity}(store, number, name):", f'    """Gives a {words} another name."""', f'    row = store.get("{plural}", number)', "    name = name.strip()", "    if not name:", f'        raise RuleBroken("a {words} needs a name")']
    lines += [f'    for other in store.current("{plural}"):', '        if other["number"] != number and other["name"] == name:', f'            raise RuleBroken(f"there is a {words} called {{name}} already")', '    row["name"] = name', "", ""]
    for field, kind in fields.items():
        if field == "name":
            continue
        lines += [f"def change_{entity}_{field}(store, number, {field}):", f'    """Sets the {field.replace("_", " ")} of a {words}."""', f'    row = store.get("{plural}", number)']
        if kind == "number":
            lines += [f"    if {field} < 0:", f'        raise RuleBroken("{field} must not be below 0")']
        elif kind == "text":
            lines += [f"    {field} = {field}.strip()"]
        else:
            target = next(p for e, p, _ in ENTITIES if e == kind)
            lines += [f'    if not store.is_current("{target}", {field}):', f'        raise RuleBroken(f"there is no {kind.replace("_", " ")} {{{field}}}")']
        lines += [f'    row["{field}"] = {field}', "", ""]
    lines += [f"def archive_{entity}(store, number):", f'    """Puts a {words} away. Not while something that is not archived refers to it."""', f'    row = store.get("{plural}", number)']
    for plural_of, field in users(entity):
        if slip and entity == "carrier" and plural_of == "shipments":
            continue
        lines += [f'    used = [other["name"] for other in store.current("{plural_of}") if other["{field}"] == number]', "    if used:"]
        text = plural_of.replace("_", " ")
        lines += [f'        raise RuleBroken(f"{{row[\'name\']}} is used by the {text} {{\', \'.join(sorted(used))}}")']
    lines += ['    row["archived"] = True', "", ""]
    lines += [f"def restore_{entity}(store, number):", f'    """Brings an archived {words} back. Its name must be free, and what it refers to must not be archived."""', f'    row = store.get_archived("{plural}", number)']
    if not (slip and entity == "carrier"):
        lines += [f'    if any(other["name"] == row["name"] for other in store.current("{plural}")):', f'        raise RuleBroken(f"there is a {words} called {{row[\'name\']}} already")']
    for field, kind in fields.items():
        if kind not in ("text", "number"):
            target = next(p for e, p, _ in ENTITIES if e == kind)
            lines += [f'    if not store.is_current("{target}", row["{field}"]):', f'        raise RuleBroken("its {kind.replace("_", " ")} is archived")']
    lines += ['    row["archived"] = False', "", ""]
    lines += [f"def find_{entity}(store, name):", f'    """The number of the {words} with that name, or None."""', f'    for row in store.current("{plural}"):', '        if row["name"] == name.strip():', '            return row["number"]', "    return None", "", ""]
    lines += [f"def list_{plural}(store, part=\"\"):", f'    """Names and numbers of the {plural.replace("_", " ")} whose name holds `part` (in any case), by name."""', '    found = [', '        (row["name"], row["number"])', f'        for row in store.current("{plural}")', '        if part.lower() in row["name"].lower()', "    ]", "    return sorted(found)"]
    return lines


def source(slip=True):
    """The module's text; `slip` leaves out what is to be put in."""
    lines = [HEAD.rstrip("\n")]
    for entity, plural, fields in ENTITIES:
        lines += functions(entity, plural, fields, slip)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    pathlib.Path("handlers.py").write_text(source())
