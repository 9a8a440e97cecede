#!/usr/bin/perl
use strict;
use warnings;
use Edit;
use Srt;

my ($command, $argument) = @ARGV;
my $text = do { local $/; <STDIN> } // '';
if (($command // '') eq 'shift' && defined $argument) {
    print Srt::write_cues(Edit::shift_by(sprintf('%.0f', $argument * 1000), Srt::parse($text)));
}
elsif (($command // '') eq 'untangle') {
    print Srt::write_cues(Edit::untangle($argument // 40, Srt::parse($text)));
}
elsif (($command // '') eq 'check') {
    my @found = Edit::problems(Srt::parse($text));
    print "$_\n" for @found;
    exit(@found ? 1 : 0);
}
else {
    die "usage: subs.pl shift SECONDS | untangle [GAP] | check\n";
}
