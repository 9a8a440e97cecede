#!/usr/bin/perl
use strict;
use warnings;
use Filters;
use Table;
use Template;

my $failed = 0;

sub is {
    my ($got, $expected, $what) = @_;
    return if $got eq $expected;
    print "FAIL $what\n  got      $got\n  expected $expected\n";
    $failed++;
}

my $table = Table->parse("name\tcity\tdebt\nAda\tLondon\t123450\nTim\t\t-5\n\nEva\tRome\n");
is(join(',', $table->names), 'name,city,debt', 'names');
is(scalar(my @rows = $table->rows), 3, 'rows');

is(Filters::apply(' ada ', 'trim', 'upper'), 'ADA', 'filters');
is(Filters::apply(123456789, 'money'), '1,234,567.89', 'money');
is(Filters::apply(-5, 'money'), '-0.05', 'negative money');
is(Filters::apply('ada', 'initial'), 'A.', 'initial');

my $letter = Template->new("Dear {name|upper},\n[if city]how is {city}?[else]where are you?[end] {debt|money}");
is(join(',', $letter->fields), 'name,city,debt', 'fields');
is($letter->fill(($table->rows)[0]), "Dear ADA,\nhow is London? 1,234.50", 'fill');
is($letter->fill(($table->rows)[1]), "Dear TIM,\nwhere are you? -0.05", 'else');

print $failed ? "$failed failed\n" : "all tests pass\n";
exit($failed ? 1 : 0);
