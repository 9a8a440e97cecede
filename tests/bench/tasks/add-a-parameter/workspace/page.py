"""Pages for a small screen."""

from text import wrap


def banner(title):
    """A title between two rules."""
    lines = wrap(title)
    rule = "=" * max(len(line) for line in lines)
    return "\n".join([rule, *lines, rule])
