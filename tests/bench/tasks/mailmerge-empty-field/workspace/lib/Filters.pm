package Filters;
use strict;
use warnings;

# What may stand behind a | in a placeholder: one value in, one value out.

my %FILTERS = (
    upper   => sub { uc $_[0] },
    lower   => sub { lc $_[0] },
    trim    => sub { my $text = shift; $text =~ s/^\s+|\s+$//g; $text },
    initial => sub { $_[0] =~ /(\S)/ ? uc("$1") . '.' : '' },
    money   => \&money,
);

# 1234567 cents as 12,345.67
sub money {
    my ($cents) = @_;
    my $sign = $cents < 0 ? '-' : '';
    my $text = sprintf '%.2f', abs($cents) / 100;
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $sign . $text;
}

# apply($value, @names): through all filters, the first one first. Dies where one is not known.
sub apply {
    my ($value, @names) = @_;
    for my $name (@names) {
        my $filter = $FILTERS{$name} or die "no filter $name\n";
        $value = $filter->($value);
    }
    return $value;
}

1;
