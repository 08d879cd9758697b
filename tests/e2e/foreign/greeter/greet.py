"""Says hello in the words of its configuration, and keeps a count on its volume when it has one."""

import os
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

WORDS = pathlib.Path("/config/words")


class Greeter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        words = WORDS.read_text().strip() if WORDS.exists() else "hello"
        body = f"{words} from {os.uname().nodename}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if sys.argv[1:] == ["once"]:
    print("seeded")
else:
    HTTPServer(("", 8000), Greeter).serve_forever()
