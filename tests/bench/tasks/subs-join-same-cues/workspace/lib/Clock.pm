package Clock;
use strict;
use warnings;

# Times are whole milliseconds; in a file they are "01:02:03,004".

sub parse {
    my ($text) = @_;
    $text =~ /^(\d{2,}):([0-5]\d):([0-5]\d)[,.](\d{3})$/ or die "not a time: $text\n";
    return (($1 * 60 + $2) * 60 + $3) * 1000 + $4;
}

sub format_time {
    my ($ms) = @_;
    my $seconds = int($ms / 1000);
    return sprintf '%02d:%02d:%02d,%03d', int($seconds / 3600), int($seconds / 60) % 60, $seconds % 60, $ms % 1000;
}

1;
