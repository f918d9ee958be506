def words(text):
    """The words of a text, in small letters."""
    return text.lower().split(" ")
