"""The policy on commands: what is seen in them, whatever they are wrapped in. Nothing here is ever run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaaj_agent.command_policy import shown
from kaaj_agent.command_policy.findings import Findings
from kaaj_agent.command_policy.reading import DEPTH_MAX, SCRIPTS_MAX
from kaaj_agent.command_policy.scripts import inner_scripts
from kaaj_agent.command_policy.verdict import Judgement, judge, read
from kaaj_agent.command_policy.words import ansi_c

ROOT = Path("/work/shop")
HOME = Path("/home/me")


def seen(command: str) -> Findings:
    return read(command, [ROOT], HOME)


def verdict(command: str, *, sandboxed: bool = True, network: bool = False) -> Judgement:
    return judge(seen(command), command, sandboxed=sandboxed, network=network)


ORDINARY = [
    "pytest -q tests && git diff --stat | head -20",
    "echo 'sudo ls > /etc/passwd'",
    "git commit -m 'sudo rm -rf /'",
    'grep -rn "su do" . | sort -u > out.txt 2>&1',
    "cat > x.py <<'EOF'\nimport os  # sudo\nos.system(`x`)\nEOF",
    "command -v sudo; which doas",
    "cd src && rm ../a.txt && (cd .. && touch b)",
    "PY=python3; $PY -m pytest -x",
    'for f in *.py; do python3 "$f" || exit 1; done',
    "mkdir -p build && cp -r src build/ && tar czf build/a.tgz src",
    "echo x > /tmp/a; ls 2>/dev/null; echo e >&2; mkdir ~/.cache/pip",
    "python3 - <<'E'\nprint(1)\nE",
    "FOO=bar env BAZ=1 nice -n 5 timeout 60 make -j4 CC=gcc",
    "[ -f a ] && test -d b || [[ -n $X ]]",
    "find . -name '*.pyc' -delete",
    "find . -type f -exec grep -l x {} +",
    "sed -i 's/a/b/' src/a.py",
    "bash scripts/build.sh --all",
    "git stash show 'stash@{0}'",
    "ls # | sudo",
    "pytest > out.txt -q 2>&1; git log &> log.txt",
    "ls | xargs -I{} sh -c 'wc -l {}'",
    'cat x | while IFS=, read -r a b; do echo "$a"; done; while IFS= read -r f; do wc "$f"; done < <(ls)',
    "find . -name '*.py' -exec sh -c 'wc -l \"$1\"' _ {} \\; # and so on",
    'cp src/{a,b}.py out/; arr=(a b\nc); for i in "${arr[@]}"; do echo "$i"; done',
    "set -euo pipefail; bash -euo pipefail -c 'ls'",
    "[[ $A == b* && -n $C ]] && (( N > 2 )) && echo \"a[1]\" 'a[$(x)]'",
    "cat > a.tex <<'E'\n\\section{`x`}\nE\nls",
    "make -j2 DESTDIR=out && source .venv/bin/activate && git -c color.ui=never diff",
    "",
]


@pytest.mark.parametrize("command", ORDINARY)
def test_ordinary_commands_run_in_the_sandbox_without_a_question(command: str) -> None:
    assert verdict(command) == Judgement("allowed", "sandbox", (), verdict(command).programs)


@pytest.mark.parametrize("command", ORDINARY[:-1])
def test_without_a_sandbox_every_command_is_asked_for(command: str) -> None:
    assert verdict(command, sandboxed=False).verdict == "asked"
    assert verdict(command, sandboxed=False).where == "unboxed"


RIGHTS = {
    "plain": "sudo ls",
    "by path": "/usr/bin/sudo ls",
    "escaped": "\\sudo ls",
    "quoted": "'su'\"do\" ls",
    "empty quotes": "su''do ls",
    "hexadecimal": r"$'\x73\x75do' ls",
    "octal": r"$'\163\165\144\157' ls",
    "unicode": r"$'\u0073udo' ls",
    "before a NUL": r"$'sudo\0x' ls",
    "translated": '$"sudo" ls',
    "over two lines": "su\\\ndo ls",
    "another over two lines": "l\\\ns; s\\\nudo ls",
    "a builtin over two lines": "e\\\nval sudo ls",
    "a substitution over two lines": 'echo "$\\\n(sudo ls)"',
    "after a chain": "true && false || sudo ls",
    "after a semicolon": "ls;sudo ls",
    "in the background": "sleep 1 & sudo ls",
    "in a pipe": "echo y | sudo tee x",
    "in a subshell": "(sudo ls)",
    "in a group": "{ sudo ls; }",
    "negated": "! sudo ls",
    "timed": "time sudo ls",
    "in a substitution": 'echo "$(sudo ls)"',
    "in backquotes": "echo `sudo ls`",
    "in a default value": "echo ${X:-$(sudo ls)}",
    "in arithmetic": "echo $((1 + $(sudo id -u)))",
    "in a process substitution": "diff <(sudo ls) x",
    "in a test": "[[ -n $(sudo ls) ]]",
    "in a condition": "if sudo true; then ls; fi",
    "in a loop": "while ! sudo ls; do :; done",
    "in a case": "case x in x) sudo ls;; esac",
    "in a function": "f() { sudo ls; }; f",
    "in an assignment": "A=$(sudo ls)",
    "in an export": "export A=$(sudo ls)",
    "in a here-document": "cat <<EOF\n$(sudo ls)\nEOF",
    "in a here-document's backquotes": "cat <<EOF\n`sudo ls`\nEOF",
    "after a here-document": "cat <<EOF && sudo ls\nx\nEOF",
    "with a here-document": "sudo tee x <<EOF\nx\nEOF",
    "behind an assignment": "A=1 B=2 sudo ls",
    "behind a redirection": ">x sudo ls",
    "in a variable": "X=sudo; $X ls",
    "in parts of variables": 'A=su; B=do; "$A$B" ls',
    "in a split variable": "X='sudo ls'; $X",
    "in a loop's variable": "for x in ls sudo; do $x; done",
    "env": "env -i A=1 -u B sudo ls",
    "env -S": "env -S 'sudo ls'",
    "nohup": "nohup sudo ls",
    "nice": "nice -n 19 sudo ls",
    "timeout": "timeout -k 5 60 sudo ls",
    "xargs": "ls | xargs -n 1 -I {} sudo rm {}",
    "find": "find . -exec sudo rm {} \\;",
    "command": "command sudo ls",
    "exec": "exec -a x sudo ls",
    "setsid": "setsid sudo ls",
    "busybox": "busybox sudo ls",
    "sh -c": "sh -c 'sudo ls'",
    "bash -lc": 'bash -lc "cd x; sudo ls"',
    "nested sh -c": "sh -c \"sh -c 'sudo ls'\"",
    "sh -c of a variable": "X='sudo ls'; sh -c \"$X\"",
    "eval": "eval su'do' ls",
    "trap": "trap 'sudo ls' EXIT",
    "alias": "alias l='sudo ls'; l",
    "a script on stdin": "bash <<'E'\nsudo ls\nE",
    "a here-string": "bash <<< 'sudo ls'",
    "a shell in a pipe with a text": "true | sh -c 'sudo ls'",
    "uv run": "uv run sudo ls",
    "flock": "flock /tmp/l -c 'sudo ls'",
    "su": "su - -c ls",
    "doas": "doas ls",
    "backquotes in a default": 'echo "${x:-`sudo ls`}"',
    "behind a redirection of eval": "eval > f sudo ls",
    "behind a redirection of env": "env 2>&1 A=1 sudo",
    "behind a here-string": "env A=a <<< x sudo",
    "behind a here-document's mark": "eval <<E sudo\nE",
    "escaped at the begin of a line": "ls\n\\sudo ls",
    "negated and timed": "time ! sudo ls",
    "an odd assignment": "env a.b=c = sudo ls",
    "env -S among others": "env -iS'sudo ls'",
    "options that take words": "bash -euo pipefail -c 'sudo ls'",
    "a coprocess": "coproc X { sudo ls; }",
    "a sourced here-string": ". /dev/stdin <<< 'sudo ls'",
    "a here-document as a file": "bash /dev/stdin <<'E'\nsudo ls\nE",
    "a subscript": "test -v 'a[$(sudo ls)]'",
    "a subscript in a variable": "x='a[$(sudo ls)]'; (( x ))",
    "a subscript in a test": "[[ 'a[$(sudo ls)]' -eq 0 ]]",
    "a prompt": "PS4='$(sudo ls)'; set -x; ls",
    "an exported prompt": "export PROMPT_COMMAND='sudo ls'",
    "a callback": "mapfile -C 'sudo ls' -c 1 x < y",
    "trap --": "trap -- 'sudo ls' EXIT",
    "script": "script -qc 'sudo ls' /dev/null",
    "script --command": "script --command='sudo ls' x",
    "parallel": "parallel ::: 'sudo ls'",
    "the loader": "/lib64/ld-linux-x86-64.so.2 --preload x /usr/bin/sudo ls",
    "a subshell where there is no arithmetic": "((sudo))",
    "a command where there are no tests": "[[ x || sudo ]]",
    "a redirection that ends a command in some shells": "ls &> f sudo ls",
    "a quote that some shells do not know": "echo $'a\\'; sudo ls #'",
    "what a shell in a shell reads": "bash -c bash -c <<< 'sudo ls'",
    "sg": "sg root ls",
    "pkexec": "pkexec ls",
}  # fmt: skip


@pytest.mark.parametrize("command", RIGHTS.values(), ids=RIGHTS.keys())
@pytest.mark.parametrize("sandboxed", [True, False], ids=["boxed", "unboxed"])
def test_another_users_rights_are_refused_however_they_are_asked_for(command: str, sandboxed: bool) -> None:  # noqa: FBT001 - a case
    judgement = verdict(command, sandboxed=sandboxed)
    assert judgement.verdict == "refused"
    assert "another user's rights" in " ".join(judgement.reasons)


OUTSIDE = {
    "redirection": "echo x > /etc/hosts",
    "appending": "echo x >> ~/.bashrc",
    "both streams": "ls &> /etc/x",
    "joined": "ls >& /etc/x",
    "clobbering": "ls >| /etc/x",
    "a descriptor": "exec 3> /etc/x",
    "no command": "> /etc/x",
    "of a group": "{ ls; pwd; } > /etc/x",
    "of a loop": "while true; do ls; done >> /etc/x",
    "a variable": "T=/etc; echo x > $T/x",
    "home in a variable": 'echo x > "$HOME/.profile"',
    "climbing": "echo x > ../../etc/x",
    "a folder entered": "cd / && rm -rf etc",
    "a folder entered in parts": "cd ..; cd ..; rm -rf etc",
    "rm": "rm -rf ../other",
    "a pattern": "rm -rf /*",
    "the home": "rm -rf ~",
    "cp": "cp a b /usr/local/bin",
    "mv from": "mv /etc/x .",
    "-t": "cp -t /etc a",
    "--target-directory": "mv --target-directory=/etc a",
    "ln": "ln -s a /usr/bin/a",
    "tee": "echo x | tee -a /etc/x",
    "dd": "dd if=/dev/zero of=/dev/sda",
    "sed": "sed -i s/a/b/ /etc/hosts",
    "tar": "tar xf a.tar -C /",
    "find": "find / -name x -delete",
    "chmod": "chmod -R 777 /usr",
    "touch": "touch /etc/x",
    "in quotes": "sh -c 'echo x > /etc/x'",
    "in xargs": "ls | xargs rm /etc/x",
    "encoded": r"echo x > $'\x2fetc/x'",
    "options in one word": "cp -rt/etc x",
    "an option's value in its word": "curl -sSLo/etc/x y",
    "an option's value behind a bundle": "wget -qO /etc/x y",
    "sed among others": "sed -ni s/a/b/ /etc/x",
    "perl": "perl -pi -e s/a/b/ /etc/x",
    "patch": "patch -p1 -d /etc < y",
}


@pytest.mark.parametrize("command", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_writing_outside_of_the_workspace_is_refused_and_said(command: str) -> None:
    judgement = verdict(command)
    assert judgement.verdict == "refused"
    assert "outside of the workspace" in judgement.reasons[0]


@pytest.mark.parametrize(
    "command", ["mount -o bind a b", "mkfs.ext4 x", "crontab x", "env -i reboot", "nsenter -t 1 sh"]
)
def test_what_changes_the_machine_is_refused(command: str) -> None:
    assert "changes the machine" in verdict(command).reasons[0]


UNKNOWN = {
    "a computed name": "$(echo sudo) ls",
    "a name in backquotes": "`echo sudo` ls",
    "an unset variable": "$CMD ls",
    "a read variable": "read X <<< sudo; $X ls",
    "a printed variable": "printf -v X sudo; $X ls",
    "a default": "${X:-sudo} ls",
    "an array": 'a=(sudo ls); "${a[@]}"',
    "a cut variable": "X=xsudo; ${X#x} ls",
    "arithmetic": "X=1; ((X=2)); $X",
    "a pattern as a name": "/usr/bin/sud? ls",
    "braces": "{sudo,ls}",
    "a fed shell": "echo sudo ls | sh",
    "a fed shell with options": "base64 -d x | bash -s --",
    "a shell from a substitution": "bash < <(cat x)",
    "a decoded text": 'bash -c "$(printf c3VkbyBscw== | base64 -d)"',
    "eval of output": 'eval "$(cat x)"',
    "what eval may set": 'X=ls; eval "$(cat x)"; $X',
    "what a file may set": "X=ls; . ./x; $X",
    "a here-document that expands": "bash <<E\n$X\nE",
    "what xargs puts in": "ls | xargs -I{} sh -c '{}'",
    "what xargs adds": "ls | xargs -0 bash -c",
    "what find puts in": "find . -exec {} \\;",
    "a sourced substitution": "source <(cat x)",
    "words cut elsewhere": "IFS=x; c=sudoxls; $c",
    "one name for another": "declare -n Y=X; X=ls; Y=sudo; $X",
    "an empty substitution in a word": "s`:`udo ls",
    "a blank that is none": "ls\rx",
    "what xargs adds to a wrapper": "xargs nice <<< sudo",
    "a shell in a function": "f() { sh; }; echo sudo ls | f",
    "a shell in a shell": "echo sudo ls | sh -c sh",
    "no comment": "a=(sudo)#$'' s``udo",
    "the end of a redirection": "X=sudo; > o{$1 $X",
    "the end of an assignment": "a=}\\163udo sudo",
    "a blank in an assignment": "a=\\  sudo",
    "a default where there is no arithmetic": "((${X:-sudo} ))",
    "hash -p": "hash -p /usr/bin/sudo ls; ls",
}


@pytest.mark.parametrize("command", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_what_is_only_decided_when_it_runs_is_asked(command: str) -> None:
    judgement = verdict(command)
    assert judgement.verdict == "asked"
    assert judgement.reasons


@pytest.mark.parametrize(
    "command", ["if", "rm x\n(", "echo 'open", "a && && b", "f() {", "ls | ", "x" * 200_000, "a\0b", ")"]
)
def test_what_cannot_be_parsed_is_never_allowed(command: str) -> None:
    assert verdict(command).verdict != "allowed"
    assert seen(command).doubts


def test_scripts_in_scripts_hide_nothing_however_deep_they_are() -> None:
    command, verdicts = "sudo ls", list[str]()
    for _ in range(8):
        command = "eval " + "'" + command.replace("'", "'\\''") + "'"
        verdicts.append(verdict(command).verdict)
    assert "allowed" not in verdicts
    assert verdicts[:6] == ["refused"] * 6


def test_what_lies_deeper_than_is_read_is_asked() -> None:
    assert verdict("eval " * DEPTH_MAX + "sudo ls").verdict == "refused"
    for unread in ("eval " * (DEPTH_MAX + 1) + "sudo ls", "eval ls; " * SCRIPTS_MAX + "eval sudo ls"):
        found = verdict(unread)
        assert found.verdict == "asked"
        assert "too many scripts" in " ".join(found.reasons)


def test_scripts_that_multiply_are_not_all_read() -> None:
    many = "; ".join(f"X='eval \"$X\"; echo {number}'" for number in range(12))
    found = seen(f'{many}; sh -c "$X $X"; sudo ls')
    assert found.scripts < 1_000
    assert found.refusals


SHELL_WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(
    SHELL_WORDS, st.sampled_from(["sudo {}", "echo {}; sudo ls", "sh -c 'sudo ls' {}", "A={} sudo ls", "{}|sudo ls"])
)
def test_quoted_words_hide_nothing(word: str, form: str) -> None:
    quoted = "'" + word.replace("'", "'\\''") + "'"
    assert verdict(form.format(quoted)).verdict != "allowed"


@given(st.text(st.sampled_from(list("abc $`\"'\\(){}<>|&;\n#*?[]~=!-")), max_size=30))
def test_reading_never_fails(command: str) -> None:
    assert verdict(command).verdict in ("allowed", "asked", "refused")


@settings(max_examples=25, deadline=None)  # each starts a bash
@given(st.text(st.sampled_from(list(r"\xu07'an4e1c?" + '"')), max_size=10))
def test_encoded_words_are_read_as_bash_reads_them(inside: str) -> None:
    # An open quote would end the word, and a control character of nothing is left alone by nobody alike.
    if "'" in inside.replace("\\'", "") or inside.endswith("\\") or "\\c" in inside:
        return
    try:
        done = subprocess.run(
            ["bash", "-c", f"printf %s $'{inside}'"], capture_output=True, check=False, env={"LC_ALL": "C.UTF-8"}
        )
    except FileNotFoundError:
        pytest.skip("no bash here")
    if done.returncode == 0 and (said := done.stdout.decode("utf-8", "replace")).isascii():
        assert ansi_c(inside) == said or not ansi_c(inside).isascii()


def test_scripts_in_a_text_are_told_apart() -> None:
    assert inner_scripts("a $(b `c` (d)) e `f \\`g\\`` \\$(h) \\`") == ["b `c` (d)", "f `g`"]
    assert inner_scripts("$(echo ')' )") == ["echo ')' "]
    assert inner_scripts("a `b") is None
    assert inner_scripts("$(a") is None


def test_variables_that_make_programs_run_others_are_told() -> None:
    ways = ("LD_PRELOAD=./x.so ls", "env LD_PRELOAD=./x.so ls", "env -u A LD_PRELOAD=./x.so ls")
    for command in (*ways, "LD_PRELOAD=x; export LD_PRELOAD; ls", "export LD_PRELOAD=x; ls", "make LD_PRELOAD=x"):
        judgement = verdict(command, sandboxed=False)
        assert "It sets LD_PRELOAD, which decides what else is run." in judgement.reasons
    assert "It sets git's core.pager for this call." in verdict("git -c core.pager=x log", sandboxed=False).reasons


@pytest.mark.parametrize("name", ["ѕudo", "ｓｕｄｏ", "su\u200bdo", "ls\u2028sudo"])
def test_a_name_that_only_looks_familiar_is_told(name: str) -> None:
    judgement = verdict(f"{name} ls", sandboxed=False)
    assert judgement.verdict != "allowed"
    assert "look familiar" in " ".join(judgement.reasons)
    assert verdict("grep 'ѕudo' x", sandboxed=False).reasons == ()


def test_the_programs_of_a_command_are_told() -> None:
    assert verdict("cd x && env A=1 xargs -n1 sh -c 'tar x; $(which y)'", sandboxed=False).programs == (
        "cd", "env", "xargs", "sh", "tar", "which",
    )  # fmt: skip


@pytest.mark.parametrize(
    "command",
    ["npm ci", "pip install x", "python3 -m pip install x", "git -C . fetch", "cd a && curl -sS x", "uv sync"],
)
def test_the_network_is_offered_only_to_commands_that_want_it_and_only_if_the_person_wants_that(command: str) -> None:
    if "-C" in command:
        assert verdict(command, network=True).verdict == "allowed", "not known, so it has none"
        return
    assert verdict(command).verdict == "allowed"
    asked = verdict(command, network=True)
    assert (asked.verdict, asked.where) == ("asked", "network")
    assert verdict("pytest", network=True).where == "sandbox"


def test_a_command_too_long_to_be_shown_is_not_put_to_a_person() -> None:
    long = "echo " + "x" * shown.SHOWN_MAX
    assert verdict(long).verdict == "allowed"
    assert verdict(long, sandboxed=False).verdict == "refused"


@given(st.text(max_size=40))
def test_what_a_person_is_shown_can_neither_hide_nor_turn_text_around(text: str) -> None:
    line = shown.visible(text, lines=False)
    assert line.isprintable()
    assert shown.visible(line) == line
    assert "\n" not in line


def test_what_hides_is_written_out() -> None:
    assert shown.visible("a\x1b[2J\u202eb\u200bc\u2066\r\xa0\ufeff\u3164") == (
        "a\\x1b[2J\\u202eb\\u200bc\\u2066\\r\\xa0\\ufeff\\u3164"
    )
    assert shown.title("a\nb") == "a\\nb"
    assert shown.visible("é漢字😀 ok") == "é漢字😀 ok"
