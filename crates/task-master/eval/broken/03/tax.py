ORDINARY = 21
REDUCED = 6

REDUCED_KINDS = {"book", "newspaper", "map"}


def tax(cents, kind):
    """The value added tax of an article, in cents, rounded half up."""
    rate = REDUCED if kind in REDUCED_KINDS else ORDINARY
    return (cents * rate + 50) // 100
