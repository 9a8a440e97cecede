"""The policy on commands against real shells: what it allows must not run a program that it refuses.

Commands are put together at random out of the pieces that shells read in surprising ways, more of them with
KAAJ_TORTURE. Those that the policy allows are run, in bubblewrap, by every shell that is here, with a `sudo` on the
PATH that leaves a mark.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kaaj_agent.bubblewrap import try_bubblewrap
from kaaj_agent.command_policy.verdict import judge, read

pytestmark = pytest.mark.timeout(900)

PIECES = (
    "sudo", "su", "do", "x", "X", "$X", "${X}", "$(", "`", ")", "}", "{ ", "((", "))", "[[ ", " ]]", "(", "'", '"',
    "$'", "\\", "\\\n", "\n", ";", "&&", "||", "|", "&", "<<E\n", "\nE\n", "<<'E'\n", "<<<", "<(", "X=", "X=sudo",
    "A=su", "export ", "eval ", "env ", "env -S ", "sh -c ", "bash -c ", "sh ", "bash ", "xargs ", "xargs -I{} ",
    "if ", "then ", "fi ", "for X in sudo a; do ", " done ", "while ", "case x in x) ", " ;; esac ", "f() ", "f ",
    "! ", "time ", "exec ", "command ", "builtin ", "trap ", "EXIT ", "alias a=", "set -- ", '"$@"', "$*", "$1",
    "${X:-sudo}", "${X:=sudo}", "${X+sudo}", "${X#a}", "echo ", "read X", "IFS=a ", "#", " ", "\t", "\r", "2>&1",
    "> o", "< o", ">&2", "~", "*", "{a,b}", "\\x73udo", "\\163udo", "\\'", "a=(sudo)", "${a[0]}", "$((", "function g ",
    "coproc ", "let ", "declare -n Y=X", "source ", ". o ", "/dev/stdin", "cat ", "-c ", "--", "=", "'sudo ls'",
    '"sudo ls"', "nice ", "timeout 1 ", "[ ", "]", "{ ", "; }", "&>", "|&", "<>", '$"', "$[", "\\sudo", "su\\do",
    "s$()udo", "s``udo", "''",
)  # fmt: skip
FORMS = (
    "%s", "%s; sudo", "sudo %s", "%s sudo", "%s && sudo ls", "%s\nsudo", "eval %s", "sh -c '%s'", 'bash -c "%s"',
    "(%s)", "{ %s; }", "echo $(%s)", "echo `%s`", "X='%s'; $X", "X=sudo; %s $X", "cat <<E\n%s\nE", "f() { %s; }; f",
    "if %s; then sudo; fi", "[[ %s ]]", "((%s))", 'echo "%s"', "echo $'%s'", "echo ${X:-%s}", 'echo "${X:-%s}"',
    "%s | sudo", "%s <<< sudo", "a=%s sudo", "echo '%s' | sh", "# %s\nsudo", "%s\n\\sudo", "%s > o sudo",
)  # fmt: skip

RUN = """
import json, os, signal, subprocess, sys
commands, tools = json.load(sys.stdin), sys.argv[1]
for shell in sys.argv[2:]:
    for command in commands:
        for name in os.listdir("."):
            try:
                os.unlink(name)
            except OSError:
                pass
        started = subprocess.Popen(
            [shell, "-c", command], env={"PATH": tools, "HOME": "/nonexistent"}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            started.wait(2)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(started.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        started.wait()
        if os.path.exists("MARK"):
            print(json.dumps([shell, command]))
"""


def allowed_ones(count: int, folder: Path) -> list[str]:
    source = random.Random(4711)  # noqa: S311 - no secret
    found: dict[str, None] = {}
    while len(found) < count:
        pieces = (source.choice(PIECES) + source.choice(("", "", " ")) for _ in range(source.randint(1, 8)))
        command = source.choice(FORMS) % "".join(pieces)
        judgement = judge(read(command, [folder], Path("/nonexistent")), command, sandboxed=True, network=False)
        if judgement.verdict == "allowed":
            found[command] = None
    return list(found)


def test_no_command_that_is_allowed_runs_what_is_refused(tmp_path: Path, moments: int) -> None:
    boxed, shells = try_bubblewrap(), [found for name in ("dash", "bash") if (found := shutil.which(name))]
    if boxed.program is None or not shells:
        pytest.skip("no bubblewrap, or no shell")
    tools, folder = tmp_path / "tools", tmp_path / "work"
    tools.mkdir()
    folder.mkdir()
    # Not a shell's script: `source sudo` would run it.
    (tools / "sudo").write_text(f"#!{sys.executable}\nopen('MARK', 'w').close()\n")
    (tools / "sudo").chmod(0o755)
    for name in ("env", "xargs", "cat", "nice", "timeout", "bash", "sh"):
        if program := shutil.which(name):
            (tools / name).symlink_to(program)
    commands = [*allowed_ones(10 * moments, folder), "touch MARK; : > MARK"]
    box = [
        boxed.program,
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--proc",
        "/proc",
    ]
    ran = subprocess.run(
        [
            *box,
            "--bind",
            str(folder),
            str(folder),
            "--chdir",
            str(folder),
            sys.executable,
            "-c",
            RUN,
            str(tools),
            *shells,
        ],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        check=True,
    )
    marked = [json.loads(line) for line in ran.stdout.splitlines()]
    assert "\n".join(f"{shell}: {ran!r}" for shell, ran in marked if ran != commands[-1]) == ""
    assert len(marked) == len(shells), "a mark would have been seen"
