def total(limit):
    """The sum of all whole numbers from 1 to limit."""
    result = 0
    for number in range(1, limit):
        result += number
    return result
