import unittest
from server import address


class ServerTest(unittest.TestCase):
    def test_address(self):
        self.assertEqual(address(), "localhost:8080")
