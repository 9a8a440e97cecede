package Edit;
use strict;
use warnings;

# What can be done with cues. Every function returns new cues and leaves the old ones as they were.

# All cues later by so many milliseconds (earlier where it is negative). What would end before 0 is dropped, and what
# would start before 0 starts there.
sub shift_by {
    my ($ms, @cues) = @_;
    my @moved = map { +{ %$_, start => $_->{start} + $ms, end => $_->{end} + $ms } } @cues;
    return map { +{ %$_, start => $_->{start} < 0 ? 0 : $_->{start} } } grep { $_->{end} > 0 } @moved;
}

# Sorted by start. Where a cue overlaps the next, it is cut to end a gap before it.
sub untangle {
    my ($gap, @cues) = @_;
    my @sorted = sort { $a->{start} <=> $b->{start} || $a->{end} <=> $b->{end} } map { +{%$_} } @cues;
    for my $i (0 .. $#sorted - 1) {
        my $latest = $sorted[ $i + 1 ]{start} - $gap;
        $sorted[$i]{end} = $latest if $sorted[$i]{end} > $latest && $latest > $sorted[$i]{start};
    }
    return @sorted;
}

# What is wrong, as lines for people.
sub problems {
    my @cues = @_;
    my @found;
    for my $i (0 .. $#cues) {
        my $number = $i + 1;
        my $cue = $cues[$i];
        push @found, "cue $number ends before it starts" if $cue->{end} <= $cue->{start};
        push @found, "cue $number has no text" unless grep { /\S/ } @{ $cue->{lines} };
        push @found, "cue $number overlaps the one before" if $i > 0 && $cue->{start} < $cues[ $i - 1 ]{end};
    }
    return @found;
}

1;
