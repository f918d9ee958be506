"""How many wrong patches that make a check pass `recover` believes, and how many right ones it doubts.

    python3 crates/task-master/eval/doubt.py BINARY

patches.json has patches for the projects of tuning and broken, written by hand: each makes its check pass, and
more than half of them do only that. A server that is no model hands them out.
"""

import collections
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).parent


class Handler(http.server.BaseHTTPRequestHandler):
    """Says which file to change when it is asked for an object, and what it shall say otherwise."""

    patch = None

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if asked.get("response_format", {}).get("type", "text") == "text":
            said = f"It is wrong.\n```\n{self.patch['text']}```"
        else:
            said = json.dumps({"change": self.patch["file"]})
        delta = {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": "stop"}]}
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        self.wfile.write(f"data: {json.dumps(delta)}\n\ndata: [DONE]\n\n".encode())

    def log_message(self, *_):
        pass


def became(binary, port, patch):
    """What the program says about a patch."""
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory, "project")
        shutil.copytree(HERE / patch["project"], place)
        patch["text"] = (place / patch["file"]).read_text()
        for old, new in patch["changes"]:
            patch["text"] = patch["text"].replace(old, new, 1)
        Handler.patch = patch
        role = {"provider": "lmstudio", "modelId": "none", "maxTokens": 4000, "temperature": 0}
        role["baseURL"] = f"http://127.0.0.1:{port}/v1"
        (place / ".taskmaster").mkdir()
        models = {"models": {"main": role, "research": role, "fallback": role}}
        (place / ".taskmaster/config.json").write_text(json.dumps(models))
        subprocess.run(["git", "init", "-q"], cwd=place, check=True)
        command = [binary, "recover", "--research", "--yes", "--json", "--attempts", "1"]
        return json.loads(subprocess.run(command, cwd=place, capture_output=True, text=True).stdout)


def main():
    binary = os.path.abspath(sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    counts = collections.Counter()
    for patch in json.loads((HERE / "patches.json").read_text()):
        told = became(binary, server.server_port, patch)
        group, right = patch["project"].split("/")[0], "right" if patch["right"] else "wrong"
        counts[group, right, told["status"]] += 1
        print(patch["project"], right, told["status"], told.get("doubt", ""), flush=True)
    for (group, right, status), count in sorted(counts.items()):
        print(f"{group}: {count} {right} ones {status}")


main()
