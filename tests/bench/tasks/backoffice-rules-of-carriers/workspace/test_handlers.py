import unittest

import handlers
from store import RuleBroken, Store


class Handlers(unittest.TestCase):
    def setUp(self):
        self.store = Store()
        self.carrier = handlers.create_carrier(self.store, "Fast & Sons", "0123")

    def test_names(self):
        with self.assertRaises(RuleBroken):
            handlers.create_carrier(self.store, " Fast & Sons ", "")
        handlers.rename_carrier(self.store, self.carrier, "Fast")
        self.assertEqual(handlers.find_carrier(self.store, "Fast"), self.carrier)
        self.assertEqual(handlers.list_carriers(self.store, "FA"), [("Fast", self.carrier)])

    def test_archive(self):
        driver = handlers.create_driver(self.store, "Tim", self.carrier)
        with self.assertRaises(RuleBroken):
            handlers.archive_carrier(self.store, self.carrier)
        handlers.archive_driver(self.store, driver)
        handlers.archive_carrier(self.store, self.carrier)
        self.assertIsNone(handlers.find_carrier(self.store, "Fast & Sons"))
        with self.assertRaises(RuleBroken):
            handlers.restore_driver(self.store, driver)
        handlers.restore_carrier(self.store, self.carrier)
        handlers.restore_driver(self.store, driver)

    def test_numbers(self):
        with self.assertRaises(RuleBroken):
            handlers.create_warehouse(self.store, "North", -1)


if __name__ == "__main__":
    unittest.main()
