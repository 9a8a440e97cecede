"""Runs in the sandbox, in the project's own Python: the check's command, started once and forked for each candidate.

unittest's process stops here as its `sitecustomize`, before its own first line; pytest's as the last plugin that the
environment names, with all plugins loaded and nothing of the project. Then it imports what the command imported last
time and is not the project's, and waits. Each fork goes on as if nothing had been: same interpreter, same arguments,
same settings. Standard library alone, and no syntax newer than Python 3.8.

Folder of requests, named in CHECK_FORK_FOLDER: `req` gets `N seconds`, `N.json` holds `{path: base64 of the text}`;
`rep` answers `ready` and then `N code` (-1: out of time), with `N.out` the output. Where `N.cover.json` holds
`{roots, wanted}`, the lines that each test executes come in `N.lines` (see fork_cover.py).
"""

from __future__ import annotations

import atexit
import base64
import gc
import importlib
import importlib.util
import json
import os
import signal
import sys
import time

_WAIT = 0.002


def _words() -> list[str]:
    try:
        with open("/proc/self/cmdline", "rb") as file:
            return [os.fsdecode(word) for word in file.read().split(b"\0")[:6]]
    except OSError:
        return list(getattr(sys, "orig_argv", []))[:6]


def _plugins() -> set[str]:
    """What comes with plugins, which pytest wants to import itself."""
    import importlib.metadata

    found: set[str] = set()
    for distribution in importlib.metadata.distributions():
        entries = [entry for entry in distribution.entry_points if entry.group == "pytest11"]
        found.update(entry.value.split(":")[0].split(".")[0].strip() for entry in entries)
        if entries:
            found.update(file.parts[0].split(".")[0] for file in distribution.files or ())
    return found


def _told(path: str) -> None:
    """The modules of this process by name, in the order in which they came."""
    with open(path, "w") as file:
        json.dump([(n, getattr(m, "__file__", None) or "") for n, m in list(sys.modules.items())], file)


def _preload(path: str) -> None:
    with open(path) as file:
        modules = json.load(file)
    plugins = _plugins()
    library = os.path.dirname(os.__file__) + os.sep
    for name, file in modules:
        installed = "site-packages" in file or "dist-packages" in file or file.startswith(library)
        if name in sys.modules or not installed or name.split(".")[0] in plugins or name.startswith("conftest"):
            continue
        try:
            importlib.import_module(name)
        except BaseException:  # it is imported by its users then, or fails there
            sys.modules.pop(name, None)


def _lay(files: dict[str, str]) -> dict[str, bytes | None]:
    """Write the candidate's texts; what stood there."""
    before: dict[str, bytes | None] = {}
    for path, data in files.items():
        try:
            with open(path, "rb") as file:
                before[path] = file.read()
        except OSError:
            before[path] = None
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
    return before


def _put_back(before: dict[str, bytes | None]) -> None:
    for path, data in before.items():
        if data is None:
            os.unlink(path)
            continue
        with open(path, "wb") as file:
            file.write(data)


def _wait(pid: int, seconds: float) -> int:
    """The exit code of the fork; -1 where it was stopped. Nobody of its group is left afterwards."""
    ends = time.monotonic() + seconds
    code = -1
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
            break
        if time.monotonic() > ends:
            break
        time.sleep(_WAIT)
    try:
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass
    if code == -1:
        os.waitpid(pid, 0)
    return code


def _cover(folder: str, number: str) -> None:
    """Trace this fork where the request asks for it."""
    try:
        with open(os.path.join(folder, number + ".cover.json")) as file:
            asked = json.load(file)
    except OSError:
        return
    try:
        spec = importlib.util.spec_from_file_location("check_fork_cover", os.path.join(folder, "fork_cover.py"))
        if spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            plugin = None if __name__ == "sitecustomize" else globals()
            module.begin(os.path.join(folder, number + ".lines"), asked["roots"], asked["wanted"], plugin)
    except Exception:  # the run is as good without it
        pass


def _serve(folder: str) -> None:
    """Returns in a fork, which is to go on with the command."""
    requests = open(os.path.join(folder, "req"))
    answers = os.open(os.path.join(folder, "rep"), os.O_WRONLY)
    os.write(answers, b"ready\n")
    learnt = os.path.join(folder, "modules.json")
    loaded = False
    for line in requests:
        number, seconds = line.split()
        if not loaded and os.path.exists(learnt):
            _preload(learnt)
            loaded = True
            gc.collect()
            gc.freeze()
        with open(os.path.join(folder, number + ".json")) as file:
            files = json.load(file)
        before = _lay(files)
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            requests.close()
            os.close(answers)
            out = os.open(os.path.join(folder, number + ".out"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.close(out)
            if "random" in sys.modules:
                sys.modules["random"].seed()
            if not loaded:
                atexit.register(_told, learnt)
            _cover(folder, number)
            return
        try:
            os.setpgid(pid, pid)
        except OSError:
            pass  # it was quicker
        code = _wait(pid, float(seconds))
        _put_back(before)
        os.write(answers, f"{number} {code}\n".encode())
    os._exit(0)


def _next_of_kin(here: str) -> None:
    """The `sitecustomize` that would have been imported without this one."""
    from importlib.machinery import PathFinder

    spec = PathFinder.find_spec("sitecustomize", [path for path in sys.path if path != here])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def _begin(name: str) -> None:
    folder = os.environ.get("CHECK_FORK_FOLDER", "")
    words = [os.path.basename(word) for word in _words()]
    here = os.path.dirname(os.path.abspath(__file__))
    if name == "sitecustomize":
        _next_of_kin(here)
    if not folder or name != ("sitecustomize" if "unittest" in words else "check_fork"):
        return
    for variable, separator, own in (("PYTHONPATH", os.pathsep, here), ("PYTEST_PLUGINS", ",", "check_fork")):
        kept = [part for part in os.environ.pop(variable, "").split(separator) if part and part != own]
        if kept:
            os.environ[variable] = separator.join(kept)
    del os.environ["CHECK_FORK_FOLDER"]
    sys.path[:] = [path for path in sys.path if path != here]
    sys.path_importer_cache.pop(here, None)
    _serve(folder)


if __name__ in ("sitecustomize", "check_fork"):
    _begin(__name__)
