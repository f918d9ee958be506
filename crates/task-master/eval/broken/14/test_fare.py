import unittest
from fare import fare


class FareTest(unittest.TestCase):
    def test_two_zones(self):
        self.assertEqual(fare(2), 360)

    def test_two_zones_in_the_evening(self):
        self.assertEqual(fare(2), 300)
