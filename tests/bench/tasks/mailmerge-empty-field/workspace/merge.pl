#!/usr/bin/perl
use strict;
use warnings;
use Table;
use Template;

@ARGV == 2 or die "usage: merge.pl TEMPLATE TABLE\n";
my ($letter, $people) = map { read_file($_) } @ARGV;
my $template = Template->new($letter);
for my $row (Table->parse($people)->rows) {
    print $template->fill($row), "\f\n";
}

sub read_file {
    my ($path) = @_;
    open my $file, '<', $path or die "$path: $!\n";
    local $/;
    return scalar <$file>;
}
