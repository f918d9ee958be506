MEMBER_DISCOUNT_PERCENT = 10


def price(cents, is_member):
    """What an order costs, in cents."""
    if is_member:
        return cents - cents * MEMBER_DISCOUNT_PERCENT // 100
    return cents
