import unittest
from basket import add


class BasketTest(unittest.TestCase):
    def test_a_new_basket_is_empty(self):
        self.assertEqual(add("tea"), ["tea"])
        self.assertEqual(add("milk"), ["milk"])

    def test_a_basket_is_filled(self):
        self.assertEqual(add("milk", ["tea"]), ["tea", "milk"])
