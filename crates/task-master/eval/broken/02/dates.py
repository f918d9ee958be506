def is_leap_year(year):
    if year % 400 == 0:
        return True
    if year % 100 == 0:
        return True
    return year % 4 == 0


def days_in_year(year):
    return 366 if is_leap_year(year) else 365
