import unittest
from dates import days_in_year


class DatesTest(unittest.TestCase):
    def test_centuries_are_common_years(self):
        self.assertEqual(days_in_year(1900), 365)

    def test_every_fourth_century_is_not(self):
        self.assertEqual(days_in_year(2000), 366)
