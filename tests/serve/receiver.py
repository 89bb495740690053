"""A receiver of webhooks as a process of its own: writes down what it takes, one line each.

Usage: receiver.py PORT FOLDER. `FOLDER/refused` holds subjects, one a line, that are answered with
500; `FOLDER/taken` gets headers, body and subject of what was answered with 204.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[2])
WRITING = threading.Lock()


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        refused = FOLDER / "refused"
        subjects = refused.read_text().split() if refused.exists() else []
        if self.path == "/elsewhere":
            self.send_response(307)
            self.send_header("location", "/hook")
        elif json.loads(body)["subject"] in subjects:
            self.send_response(500)
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            with WRITING, (FOLDER / "taken").open("a") as file:
                file.write(json.dumps({"headers": headers, "body": body}) + "\n")
            self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
print(server.server_address[1], flush=True)
server.serve_forever()
