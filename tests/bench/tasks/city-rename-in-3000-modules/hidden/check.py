import os, pathlib, re, subprocess, sys

sys.path.insert(0, str(pathlib.Path(os.environ["KAAJ_TASK"], "setup")))
import make

def normal(text):
    """Without blanks and line ends, and with the names of an import in order."""
    text = re.sub(r"\{([^{}]*)\}", lambda match: "{" + ",".join(sorted(re.split(r"\s*,\s*", match[1].strip()))) + "}", text)
    return re.sub(r"\s+", "", text)

expected = {**make.files(), **make.renamed()}
for path, text in expected.items():
    if path == "README.md":
        continue
    now = pathlib.Path(path).read_text()
    if now == text:
        continue
    # comments and messages may say either
    code = [normal(re.sub(r"/\*.*?\*/|`parse(Stamp|Instant): ", "", one, flags=re.S)) for one in (now, text)]
    assert code[0] == code[1], f"{path} is not as expected"
js = [path.as_posix() for path in pathlib.Path(".").rglob("*.js")]
assert set(js) == {path for path in expected if path.endswith(".js")}, set(js) ^ {path for path in expected if path.endswith(".js")}
done = subprocess.run(["node", "--test", "libs/clock/stamp.test.js"], capture_output=True, text=True)
assert done.returncode == 0, done.stdout
print("solved")
