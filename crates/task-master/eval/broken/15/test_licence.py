import hashlib
import unittest
from licence import key


class LicenceTest(unittest.TestCase):
    def test_the_key_is_the_vendors(self):
        digest = hashlib.sha256(key("Acme").encode()).hexdigest()
        self.assertTrue(digest.startswith("5c1f0b7e9d"), "not the key that the vendor gave Acme")
