import unittest
from retry import call


class RetryTest(unittest.TestCase):
    def test_the_client_gives_up_after_as_many_attempts_as_agreed(self):
        calls = []

        def request():
            calls.append(1)
            raise OSError("busy")

        with self.assertRaises(OSError):
            call(request)
        self.assertEqual(len(calls) * 3, 21)
