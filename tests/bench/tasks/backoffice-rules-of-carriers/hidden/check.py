import os, pathlib, subprocess, sys

sys.path.insert(0, str(pathlib.Path(os.environ["KAAJ_TASK"], "setup")))
import ast, inspect, make
import handlers
from store import RuleBroken, Store

def functions(text):
    return {node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
before, now = functions(make.source()), functions(pathlib.Path("handlers.py").read_text())
for name, text in before.items():
    if name not in ("archive_carrier", "restore_carrier"):
        assert now.get(name) == text, f"{name} is another one"

def broken(function, *arguments):
    try:
        function(*arguments)
    except RuleBroken as error:
        return str(error)
    raise AssertionError(f"{function.__name__}{arguments[1:]} was done")

store = Store()
one, two = handlers.create_carrier(store, "One", ""), handlers.create_carrier(store, "Two", "")
ada = handlers.create_customer(store, "Ada", "")
s = [handlers.create_shipment(store, name, one, ada) for name in ("S2", "S1")]
assert broken(handlers.archive_carrier, store, one) == "One is used by the shipments S1, S2"
assert store.is_current("carriers", one)
handlers.archive_carrier(store, two)
handlers.archive_shipment(store, s[0])
assert broken(handlers.archive_carrier, store, one) == "One is used by the shipments S1"
handlers.change_shipment_carrier.__name__
handlers.archive_shipment(store, s[1])
driver = handlers.create_driver(store, "Tim", one)
assert broken(handlers.archive_carrier, store, one) == "One is used by the drivers Tim"
handlers.archive_driver(store, driver)
handlers.archive_carrier(store, one)
assert broken(handlers.archive_carrier, store, one) == "no number 1 in carriers"
other = handlers.create_carrier(store, "One", "9")
assert broken(handlers.restore_carrier, store, one) == "there is a carrier called One already"
assert not store.is_current("carriers", one)
handlers.rename_carrier(store, other, "Uno")
handlers.restore_carrier(store, one)
handlers.restore_carrier(store, two)
assert handlers.list_carriers(store) == [("One", 1), ("Two", 2), ("Uno", 3)]
assert broken(handlers.restore_carrier, store, one) == "no number 1 in carriers"

def run():
    return subprocess.run([sys.executable, "-B", "-m", "unittest", "-q"], capture_output=True, text=True)
done = run()
assert done.returncode == 0, done.stderr
path = pathlib.Path("handlers.py")
text = path.read_text()
try:
    path.write_text(make.source())
    assert run().returncode != 0, "the tests do not notice when the rules are gone"
finally:
    path.write_text(text)
print("solved")
