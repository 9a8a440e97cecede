import unittest

from mixtape.m3u import read_pls
from mixtape.track import Track


class Pls(unittest.TestCase):
    def test_two_tracks(self):
        text = "[playlist]\nFile1=music/one.mp3\nTitle1=Ada - One\nLength1=185\nFile2=two.mp3\nNumberOfEntries=2\n"
        expected = [Track("One", "Ada", 185, "music/one.mp3"), Track("two.mp3", "", 0, "two.mp3")]
        self.assertEqual(read_pls(text), expected)

    def test_order_and_case(self):
        text = "[playlist]\nfile10=c.mp3\nFILE9=b.mp3\nlength9 = -1\n"
        self.assertEqual([track.path for track in read_pls(text)], ["b.mp3", "c.mp3"])

    def test_something_else(self):
        with self.assertRaises(ValueError) as caught:
            read_pls("#EXTM3U\nx.mp3\n")
        self.assertEqual(str(caught.exception), "not a PLS file")


if __name__ == "__main__":
    unittest.main()
