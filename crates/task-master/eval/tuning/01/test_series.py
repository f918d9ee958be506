import unittest
from series import total


class SeriesTest(unittest.TestCase):
    def test_the_limit_counts(self):
        self.assertEqual(total(4), 10)
