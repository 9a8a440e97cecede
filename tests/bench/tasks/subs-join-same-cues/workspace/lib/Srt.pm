package Srt;
use strict;
use warnings;
use Clock;

# Cues are hashes {start, end, lines}, in the order of the file.

sub parse {
    my ($text) = @_;
    $text =~ s/^\x{FEFF}//;
    $text =~ s/\r\n?/\n/g;
    my @cues;
    for my $block (split /\n(?:[ \t]*\n)+/, $text) {
        $block =~ s/^\n+//;
        next unless $block =~ /\S/;
        my @lines = split /\n/, $block;
        shift @lines if $lines[0] =~ /^\s*\d+\s*$/;
        my $times = shift @lines // '';
        $times =~ /^\s*(\S+)\s*-->\s*(\S+)/ or die "no times in: $times\n";
        push @cues, { start => Clock::parse($1), end => Clock::parse($2), lines => \@lines };
    }
    return @cues;
}

# Numbers are given anew, from 1.
sub write_cues {
    my @cues = @_;
    my $number = 0;
    return join "\n", map {
        $number++;
        join '', "$number\n", Clock::format_time($_->{start}), ' --> ', Clock::format_time($_->{end}), "\n",
            map { "$_\n" } @{ $_->{lines} };
    } @cues;
}

1;
