import unittest
from stock import Stock


class StockTest(unittest.TestCase):
    def test_what_comes_first_is_counted(self):
        stock = Stock()
        stock.receive("lamp", 3)
        stock.receive("lamp", 2)
        self.assertEqual(stock.count("lamp"), 5)
        self.assertEqual(stock.count("chair"), 0)
