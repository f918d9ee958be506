import unittest
from circle import area


class CircleTest(unittest.TestCase):
    def test_area(self):
        self.assertAlmostEqual(area(2), 12.566, places=3)
