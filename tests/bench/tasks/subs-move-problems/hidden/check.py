import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd="."):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20)


def perl(program, input=""):
    """What a Perl program of ours prints, with the workspace's lib/ on its path."""
    done = run("perl", "-Ilib", "-Mstrict", "-Mwarnings=FATAL,all", "-e", program, input=input)
    assert done.returncode == 0, done.stderr
    return done.stdout


text = pathlib.Path("lib/Check.pm").read_text()
assert "package Check;" in text and "use strict;" in text and "use warnings;" in text
assert "problems" not in pathlib.Path("lib/Edit.pm").read_text()
PROGRAM = r"""
use Edit;
print Edit->can('problems') ? "still" : "gone", "\n";
require Check;
my @cues = ({ start => 5, end => 5, lines => ['x'] }, { start => 4, end => 9, lines => [' '] }, { start => 9, end => 10, lines => ['x'] });
print "$_\n" for Check::problems(@cues);
print scalar(my @none = Check::problems()), "\n";
"""
said = perl(PROGRAM).splitlines()
assert said == ["gone", "cue 1 ends before it starts", "cue 2 has no text", "cue 2 overlaps the one before", "0"], said
srt = "1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:00:02,400 --> 00:00:04,000\nTwo\n"
done = run("perl", "-Ilib", "subs.pl", "check", input=srt)
assert (done.returncode, done.stdout) == (1, "cue 2 overlaps the one before\n"), done
done = run("perl", "-Ilib", "subs.pl", "check", input=srt.replace("02,400", "02,600"))
assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
assert run("perl", "-Ilib", "subs.pl", "shift", "0.3", input=srt).stdout.startswith("1\n00:00:01,300 --> 00:00:02,800\n")
done = run("perl", "-Ilib", "test.pl")
assert done.returncode == 0 and "all tests pass" in done.stdout and "'problems'" in pathlib.Path("test.pl").read_text(), done
print("solved")
