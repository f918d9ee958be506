import json


def address(path="config/server.json"):
    with open(path) as file:
        config = json.load(file)
    return f"{config['host']}:{config['port']}"
