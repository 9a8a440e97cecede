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
my @cues;
for my $word (split ' ', $ENV{CUES}) {
    my ($start, $end, $text) = split /-/, $word, 3;
    push @cues, { start => $start, end => $end, lines => [ split /\//, $text, -1 ] };
}
my $show = sub { join ' ', map { "$_->{start}-$_->{end}-" . join '/', @{ $_->{lines} } } @_ };
my $before = $show->(@cues);
my @new = Edit::join_same($ENV{GAP}, @cues);
print $show->(@new), "\n";
$_->{end} = 1 for @new;
print $show->(@cues) eq $before ? "same" : "changed", "\n";
"""
def joined(gap, cues):
    done = subprocess.run(["perl", "-Ilib", "-Mstrict", "-Mwarnings=FATAL,all", "-e", PROGRAM], capture_output=True, text=True, env={**os.environ, "GAP": str(gap), "CUES": cues})
    assert done.returncode == 0, done.stderr
    text, same = done.stdout.split("\n")[:2]
    assert same == "same", "the cues that were given have changed"
    return text

for gap, cues, expected in [
    (100, "0-10-a 110-200-a", "0-200-a"),
    (100, "0-10-a 111-200-a", "0-10-a 111-200-a"),
    (0, "0-10-a 10-20-a 20-30-a", "0-30-a"),
    (0, "0-10-a 11-20-a", "0-10-a 11-20-a"),
    (100, "200-300-a 0-150-a 300-400-a", "0-400-a"),
    (100, "0-10-a 10-20-b 20-30-a", "0-10-a 10-20-b 20-30-a"),
    (100, "0-10-a/b 10-20-a/b 20-30-a 30-40-b", "0-20-a/b 20-30-a 30-40-b"),
    (100, "0-10-a/b 10-20-ab 20-30-a,b", "0-10-a/b 10-20-ab 20-30-a,b"),
    (100, "0-500-a 50-60-a", "0-500-a"),
    (100, "0-500-a 50-60-a 550-600-a", "0-600-a"),
    (100, "50-60-a 0-20-b", "0-20-b 50-60-a"),
    (100, "", ""),
]:
    assert joined(gap, cues) == expected, (gap, cues, joined(gap, cues))
srt = "1\n00:00:01,000 --> 00:00:02,000\nHello\nyou\n\n2\n00:00:02,100 --> 00:00:03,000\nHello\nyou\n\n3\n00:00:03,101 --> 00:00:04,000\nHello\nyou\n"
done = run("perl", "-Ilib", "subs.pl", "join", input=srt)
assert done.stdout == "1\n00:00:01,000 --> 00:00:03,000\nHello\nyou\n\n2\n00:00:03,101 --> 00:00:04,000\nHello\nyou\n", done
assert run("perl", "-Ilib", "subs.pl", "join", "0", input=srt).stdout == srt
assert run("perl", "-Ilib", "subs.pl", "join", "101", input=srt).stdout == "1\n00:00:01,000 --> 00:00:04,000\nHello\nyou\n"
for bad in ("x", "1.5", "-1", ""):
    done = run("perl", "-Ilib", "subs.pl", "join", bad, input=srt)
    assert done.returncode and done.stderr == f"not a number: {bad}\n" and not done.stdout, (bad, done)
# "a b" and "a" "b" are not the same
PROGRAM2 = 'use Edit; print scalar(my @x = Edit::join_same(9, {start=>0,end=>1,lines=>["a b"]}, {start=>1,end=>2,lines=>["a","b"]}, {start=>2,end=>3,lines=>["a\nb"]})), "\n";'
assert perl(PROGRAM2) == "3\n"
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert run("perl", "-Ilib", str(root / "test.pl")).returncode == 0
print("solved")
