import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd="."):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20)


def perl(program, input=""):
    """What a Perl program of ours prints, with the workspace's lib/ on its path."""
    done = run("perl", "-Ilib", "-Mstrict", "-Mwarnings=FATAL,all", "-e", program, input=input)
    assert done.returncode == 0, done.stderr
    return done.stdout


PROGRAM = r"""
use Edit;
my @cues = ({ start => 50, end => 90, lines => ['b'] }, { start => 0, end => 70, lines => ['a'] }, { start => 60, end => 65, lines => ['c'] });
my $show = sub { join ' ', map { "$_->{start}-$_->{end}:@{ $_->{lines} }" } @_ };
my $before = $show->(@cues);
my @new = Edit::untangle(10, @cues);
print $show->(@new), "\n", $show->(@cues) eq $before ? "same" : "changed", "\n";
$new[0]{end} = 7;
print $show->(@cues) eq $before ? "same" : "shared", "\n";
print $show->(Edit::untangle(0, @cues)), "\n", $show->(Edit::untangle(40, @cues)), "\n", scalar(my @none = Edit::untangle(10)), "\n";
print $show->(Edit::shift_by(-60, @cues)), "\n", $show->(@cues) eq $before ? "same" : "changed", "\n";
print $show->(Edit::untangle(5, $cues[0])), "\n";
"""
said = perl(PROGRAM).splitlines()
assert said == ["0-40:a 50-90:b 60-65:c", "same", "same", "0-50:a 50-60:b 60-65:c", "0-10:a 50-90:b 60-65:c", "0", "0-30:b 0-10:a 0-5:c", "same", "50-90:b"], said
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert run("perl", "-Ilib", str(root / "test.pl")).returncode == 0
print("solved")
