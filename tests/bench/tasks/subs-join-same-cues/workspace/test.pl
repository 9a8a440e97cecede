#!/usr/bin/perl
use strict;
use warnings;
use Clock;
use Edit;
use Srt;

my $failed = 0;

sub is {
    my ($got, $expected, $what) = @_;
    return if $got eq $expected;
    print "FAIL $what\n  got      $got\n  expected $expected\n";
    $failed++;
}

sub spans { return join ' ', map { "$_->{start}-$_->{end}" } @_ }

is(Clock::parse('01:02:03,004'), 3723004, 'parse a time');
is(Clock::format_time(3723004), '01:02:03,004', 'format a time');

my $file = "1\n00:00:01,000 --> 00:00:02,500\nHello\n\n2\n00:00:02,400 --> 00:00:04,000\nTwo\nlines\n";
my @cues = Srt::parse($file);
is(spans(@cues), '1000-2500 2400-4000', 'parse');
is($cues[1]{lines}[1], 'lines', 'lines');
is(Srt::write_cues(@cues), $file, 'write');
is(spans(Edit::shift_by(500, @cues)), '1500-3000 2900-4500', 'later');
is(spans(Edit::shift_by(-2000, @cues)), '0-500 400-2000', 'earlier');
is(spans(Edit::shift_by(-2500, @cues)), '0-1500', 'dropped');
is(spans(Edit::untangle(40, @cues)), '1000-2360 2400-4000', 'untangle');
is(spans(@cues), '1000-2500 2400-4000', 'left as they were');
is(join(';', Edit::problems(@cues)), 'cue 2 overlaps the one before', 'problems');

print $failed ? "$failed failed\n" : "all tests pass\n";
exit($failed ? 1 : 0);
