def add(item, basket=[]):
    """The basket with one more item; a new one when none is given."""
    basket.append(item)
    return basket
