import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd="."):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20)


def perl(program, input=""):
    """What a Perl program of ours prints, with the workspace's lib/ on its path."""
    done = run("perl", "-Ilib", "-Mstrict", "-Mwarnings=FATAL,all", "-e", program, input=input)
    assert done.returncode == 0, done.stderr
    return done.stdout


PROGRAM = r"""
use Table;
local $/;
my $table = Table->parse(<STDIN>);
print join(';', map { my $row = $_; join ',', map { "$_=$row->{$_}" } $table->names } $table->rows), "\n";
"""
for text, expected in [
    ("a\tb\tc\n1\t2\t3\n", "a=1,b=2,c=3"),
    ("a\tb\tc\n\t2\t\n", "a=,b=2,c="),
    ("a\tb\tc\n1\t\t\n", "a=1,b=,c="),
    ("a\tb\tc\n\t\t3\r\n\r\n1\n", "a=,b=,c=3;a=1,b=,c="),
    ("a\tb\tc\n \t2\t 3 \n", "a= ,b=2,c= 3 "),
    ("a\n0\n", "a=0"),
    ("a\tb\n", ""),
    ("a\tb\n0\t0", "a=0,b=0"),
]:
    said = perl(PROGRAM, text)
    assert said == expected + "\n", (text, said)
done = run("perl", "-Ilib", "-e", PROGRAM, input="a\tb\n1\t2\n1\t2\t\n")
assert done.returncode and done.stderr == "line 3 has more fields than names\n", done
with tempfile.TemporaryDirectory() as folder:
    letter, people = pathlib.Path(folder, "l"), pathlib.Path(folder, "p")
    letter.write_text("{name}:[if city]{city}[else]?[end]:{debt|money}")
    people.write_text("name\tcity\tdebt\nTim\t\t-5\nAda\tBath\t0\n")
    assert run("perl", "-Ilib", "merge.pl", str(letter), str(people)).stdout == "Tim:?:-0.05\f\nAda:Bath:0.00\f\n"
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert run("perl", "-Ilib", str(root / "test.pl")).returncode == 0
print("solved")
