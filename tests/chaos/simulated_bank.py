"""A simulated gateway: a bank that is a process of its own and keeps its book, whoever dies while asking it.

Run as a program it says its port and ends when it reads a line. Bank asks it; BankPlugin is its Saleor gateway.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GATEWAY = "tests.bank"


class Handler(BaseHTTPRequestHandler):
    """POST /capture, /refund, /close or /book with a number and an amount; each is done once for a number."""

    book: dict[str, dict[str, str]] = {}
    lock = threading.Lock()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.lock:
            answer = self._book(asked)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _book(self, asked: dict[str, str]) -> dict[str, Any]:
        if self.path == "/book":
            return self.book
        number = asked["number"]
        if self.path == "/capture":
            entry = self.book.setdefault(number, {"stands": "captured", "amount": asked["amount"]})
        elif self.path == "/close":
            entry = self.book.setdefault(number, {"stands": "closed", "amount": "0"})
        else:
            entry = self.book.get(number, {"stands": "unknown"})
            if entry["stands"] == "captured":
                entry["stands"] = "refunded"
        return dict(entry)

    def log_message(self, *_: Any) -> None:
        pass


class Bank:
    """Asks the bank at an address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, what: str, **asked: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.url}/{what}", data=json.dumps(asked).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def book(self) -> dict[str, str]:
        """Number -> captured, refunded or closed."""
        return {number: entry["stands"] for number, entry in self.ask("book").items()}

    def holds(self) -> Decimal:
        """The money that buyers have paid and not got back."""
        entries = self.ask("book").values()
        return sum((Decimal(each["amount"]) for each in entries if each["stands"] == "captured"), Decimal(0))


@contextmanager
def open_bank() -> Iterator[Bank]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.simulated_bank"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield Bank(f"http://127.0.0.1:{int(process.stdout.readline())}")
        process.kill()


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(server.server_port, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.readline()
        server.shutdown()
