python3 - <<'END'
import json
from server import address
assert json.load(open("config/server.json")).get("port") in (8080,"8080")
assert address()=="localhost:8080"
END
