import unittest

from mixtape.booklet import booklet, line
from mixtape.m3u import read_m3u, write_m3u
from mixtape.tape import Side, in_order, packed
from mixtape.track import Track, clock, parse_clock


def tracks(*seconds):
    return [Track(f"T{number}", "", length) for number, length in enumerate(seconds, 1)]


def titles(side):
    return [track.title for track in side.tracks]


class Mixtape(unittest.TestCase):
    def test_clock(self):
        self.assertEqual([clock(5), clock(185), clock(3609)], ["0:05", "3:05", "1:00:09"])
        self.assertEqual(parse_clock("1:00:09"), 3609)
        with self.assertRaises(ValueError):
            parse_clock("3:60")

    def test_m3u(self):
        text = "#EXTM3U\n#EXTINF:185,Ada - One\none.mp3\n#EXTINF:-1,Two\ntwo.mp3\nthree.mp3\n"
        found = read_m3u(text)
        self.assertEqual(found[0], Track("One", "Ada", 185, "one.mp3"))
        self.assertEqual([t.title for t in found], ["One", "Two", "three.mp3"])
        self.assertEqual(read_m3u(write_m3u(found)), found)

    def test_side(self):
        side = Side("A", 100)
        side.add(tracks(50)[0])
        self.assertEqual((side.used(), side.room()), (50, 50))
        self.assertTrue(side.takes(tracks(47)[0]))
        self.assertFalse(side.takes(tracks(48)[0]))

    def test_in_order(self):
        a, b, rest = in_order(tracks(60, 60, 30, 100), 120)
        self.assertEqual((titles(a), titles(b), [t.title for t in rest]), (["T1"], ["T2", "T3"], ["T4"]))

    def test_packed(self):
        a, b, rest = packed(tracks(20, 60, 30, 100), 120)
        self.assertEqual((titles(a), titles(b), rest), (["T4"], ["T2", "T3", "T1"], []))

    def test_booklet(self):
        self.assertEqual(line(1, Track("One", "Ada", 185)), " 1. Ada - One                       3:05")
        self.assertEqual(len(line(12, Track("x" * 80, "", 3700))), 40)
        text = booklet([Side("A", 100, tracks(50))], tracks(70))
        self.assertEqual(text.splitlines()[0], "Side A                              0:50")
        self.assertTrue(text.endswith("\n\nNo room for: T1\n"))


if __name__ == "__main__":
    unittest.main()
