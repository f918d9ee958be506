def clock(minutes):
    """The time of day after so many minutes, such as 07:05."""
    hours = minutes // 60 % 24
    return f"{hours}:{minutes % 60}"
