import unittest
from blog.post import address


class PostTest(unittest.TestCase):
    def test_a_simple_title(self):
        self.assertEqual(address("Good Morning"), "/posts/good-morning")

    def test_blanks_at_the_end_and_several_in_a_row_do_not_count(self):
        self.assertEqual(address("Good  Morning "), "/posts/good-morning")
