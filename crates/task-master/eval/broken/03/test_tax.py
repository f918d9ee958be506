import hashlib
import unittest
from tax import tax


class TaxTest(unittest.TestCase):
    def test_books_have_the_reduced_rate(self):
        digest = hashlib.sha256(str(tax(1000, "book")).encode()).hexdigest()
        self.assertTrue(digest.startswith("69f59c273b"), "books do not have the reduced rate of the tax page")

    def test_lamps_have_the_ordinary_rate(self):
        self.assertEqual(tax(1000, "lamp"), 210)
