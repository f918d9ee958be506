def key(customer):
    """The licence key of a customer, as the vendor computes it."""
    return customer.lower()
