package Table;
use strict;
use warnings;

# A table of tab-separated values; the first line has the names.

# Table->parse($text): dies where a row is longer than the names.
sub parse {
    my ($class, $text) = @_;
    my ($head, @lines) = grep { /\S/ } split /\r?\n/, $text;
    my @names = split /\t/, $head // '', -1;
    my @rows;
    my $number = 1;
    for my $line (@lines) {
        $number++;
        my @fields = split /\t/, $line, -1;
        die "line $number has more fields than names\n" if @fields > @names;
        my %row;
        @row{@names} = map { $_ // '' } @fields[ 0 .. $#names ];
        push @rows, \%row;
    }
    return bless { names => \@names, rows => \@rows }, $class;
}

sub names { return @{ $_[0]{names} } }
sub rows  { return @{ $_[0]{rows} } }

# The rows sorted by a column, as text; rows that are equal keep their order.
sub sorted_by {
    my ($self, $name) = @_;
    my @order = sort { $self->{rows}[$a]{$name} cmp $self->{rows}[$b]{$name} || $a <=> $b } 0 .. $#{ $self->{rows} };
    return map { $self->{rows}[$_] } @order;
}

1;
