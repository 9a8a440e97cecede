import inspect
from page import banner
from text import wrap

words = "one two three four five six"
for function in (wrap, banner):
    assert list(inspect.signature(function).parameters.values())[1].default == 20
assert wrap(words) == ["one two three four", "five six"]
assert wrap(words, 9) == ["one two", "three", "four five", "six"]
assert wrap(words, width=13) == ["one two three", "four five six"]
assert wrap(words, 1) == words.split() and wrap(words, width=100) == [words] and wrap("", 5) == []
assert banner(words) == "==================\none two three four\nfive six\n=================="
assert banner(words, 13) == "=============\none two three\nfour five six\n============="
assert banner(words, width=9).splitlines()[0] == "========="
print("solved")
