from page import banner
from text import wrap

WORDS = "one two three four five six"

assert wrap(WORDS) == ["one two three four", "five six"], wrap(WORDS)
assert wrap(WORDS, 9) == ["one two", "three", "four five", "six"], wrap(WORDS, 9)
assert wrap(WORDS, width=100) == [WORDS]
assert banner(WORDS) == "==================\none two three four\nfive six\n=================="
assert banner(WORDS, width=9).splitlines()[0] == "========="
