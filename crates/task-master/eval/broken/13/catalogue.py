import json


def first_page(titles, path="settings.json"):
    """The titles on the first page."""
    with open(path) as file:
        settings = json.load(file)
    return sorted(titles)[: settings["per_page"]]
