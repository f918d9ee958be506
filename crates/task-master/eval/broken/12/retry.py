ATTEMPTS_MAX = 5


def call(request):
    """Calls until that works, and raises the last error when it never does."""
    for attempt in range(1, ATTEMPTS_MAX + 1):
        try:
            return request()
        except OSError:
            if attempt == ATTEMPTS_MAX:
                raise
