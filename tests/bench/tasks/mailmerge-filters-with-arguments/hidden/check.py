import os, pathlib, shutil, subprocess, tempfile


def run(*words, input="", cwd="."):
    return subprocess.run(words, input=input, cwd=cwd, capture_output=True, text=True, timeout=20)


def perl(program, input=""):
    """What a Perl program of ours prints, with the workspace's lib/ on its path."""
    done = run("perl", "-Ilib", "-Mstrict", "-Mwarnings=FATAL,all", "-e", program, input=input)
    assert done.returncode == 0, done.stderr
    return done.stdout


PROGRAM = r"""
use Filters;
while (my $line = <STDIN>) {
    chomp $line;
    my ($value, @names) = split /#/, $line, -1;
    my $got = eval { Filters::apply($value, @names) };
    print defined $got ? "<$got>\n" : "died: $@";
}
"""
cases = [
    ("abc#left:2", "<ab>"), ("abc#left:0", "<>"), ("abc#left:9#upper", "<ABC>"), ("abc#upper#left:1", "<A>"),
    ("#default:your town", "<your town>"), ("  #default:x", "<x>"), (" a #default:x", "< a >"), ("0#default:x", "<0>"), ("#default:", "<>"), ("#default:a:b", "<a:b>"),
    ("#default:abc#left:2", "<ab>"), ("12345#money", "<123.45>"), ("ada#initial", "<A.>"),
    ("a#left", "died: filter left needs an argument"), ("a#default", "died: filter default needs an argument"),
    ("a#left:", "died: filter left needs a number"), ("a#left:x", "died: filter left needs a number"), ("a#left:-1", "died: filter left needs a number"),
    ("a#upper:1", "died: filter upper takes no argument"), ("a#trim:", "died: filter trim takes no argument"), ("a#nope", "died: no filter nope"), ("a#nope:1", "died: no filter nope"),
]
said = perl(PROGRAM, "".join(case + "\n" for case, _ in cases)).splitlines()
for (case, expected), got in zip(cases, said, strict=True):
    assert got == expected, (case, got)
PROGRAM = r"""
use Template;
local $/;
my $template = Template->new(<STDIN>);
print join(',', $template->fields), "\n", $template->fill({ name => ' ada ', city => '', x => 'y' });
"""
said = perl(PROGRAM, "{name|trim|left:2|upper} of {city|default:your town, i.e. : there} {x|default:}[if city]{city|left:1}[else]{x|upper}[end] {x | upper} {name|left:1|}")
assert said == "name,city,x\nAD of your town, i.e. : there yY {x | upper} {name|left:1|}", said
root = pathlib.Path(os.environ["KAAJ_TASK"], "workspace")
assert run("perl", "-Ilib", str(root / "test.pl")).returncode == 0
print("solved")
