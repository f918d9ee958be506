import unittest
from clock import clock


class ClockTest(unittest.TestCase):
    def test_both_parts_have_two_digits(self):
        self.assertEqual(clock(425), "07:05")

    def test_midnight(self):
        self.assertEqual(clock(24 * 60), "00:00")
