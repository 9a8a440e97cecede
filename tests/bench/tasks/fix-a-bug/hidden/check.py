from intervals import covered, length, overlap

assert [length(interval) for interval in ((3, 3), (3, 7), (-2, 2), (0, 99))] == [1, 5, 5, 100]
assert overlap((1, 5), (5, 9)) == (5, 5) and overlap((1, 4), (5, 9)) is None
assert covered([]) == 0 and covered([(4, 4)]) == 1
assert covered([(1, 3), (2, 5), (9, 9)]) == 6 and covered([(9, 9), (1, 8)]) == 9
assert covered([(1, 10), (2, 3), (5, 12)]) == 12
print("solved")
