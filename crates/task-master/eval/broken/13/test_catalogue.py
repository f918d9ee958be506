import unittest
from catalogue import first_page


class CatalogueTest(unittest.TestCase):
    def test_the_first_page_is_full(self):
        titles = [f"Book {number:02}" for number in range(50)]
        self.assertEqual(first_page(titles), titles[:20])
