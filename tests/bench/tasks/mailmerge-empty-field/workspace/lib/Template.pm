package Template;
use strict;
use warnings;
use Filters;

# Template->new($text), then ->fill(\%row).
sub new {
    my ($class, $text) = @_;
    return bless { text => $text }, $class;
}

# The names that the template asks for, each once, in their order.
sub fields {
    my ($self) = @_;
    my (%seen, @names);
    while ($self->{text} =~ /\{(\w+)(?:\|[\w|]*)?\}|\[if (\w+)\]/g) {
        my $name = $1 // $2;
        push @names, $name unless $seen{$name}++;
    }
    return @names;
}

sub fill {
    my ($self, $row) = @_;
    my $text = $self->{text};
    # the innermost blocks first
    1 while $text =~ s/\[if (\w+)\]((?:(?!\[if |\[end\]).)*)\[end\]/choose($row, $1, $2)/se;
    $text =~ s/\{(\w+)((?:\|\w+)*)\}/value($row, $1, $2)/ge;
    return $text;
}

sub choose {
    my ($row, $name, $body) = @_;
    my ($yes, $no) = split /\[else\]/, $body, 2;
    return ($row->{$name} // '') ne '' ? $yes : $no // '';
}

sub value {
    my ($row, $name, $filters) = @_;
    die "no field $name\n" unless exists $row->{$name};
    return Filters::apply($row->{$name}, grep { $_ ne '' } split /\|/, $filters);
}

1;
