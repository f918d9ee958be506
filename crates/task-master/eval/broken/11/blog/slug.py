from blog.text import words


def slug(title):
    """The title as a part of an address."""
    return "-".join(words(title))
