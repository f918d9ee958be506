def fare(zones):
    """What a ticket costs, in cents."""
    return 200 + 80 * zones
