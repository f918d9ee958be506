import unittest
from shop.price import price


class PriceTest(unittest.TestCase):
    def test_members_get_the_discount_of_the_pricing_page(self):
        self.assertEqual(price(2000, True), 1700)
