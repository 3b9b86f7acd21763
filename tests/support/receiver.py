"""A real receiver of webhooks on loopback: it keeps what came, verifies it, and answers what a test tells it to."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook

Answer = tuple[int, dict[str, str]]


@dataclass(frozen=True)
class Received:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        """The envelope."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verify(self, secret: str) -> None:
        """Raises WebhookVerificationError unless it is signed with the secret, now."""
        Webhook(secret).verify(self.body, self.headers)

    def signed_with(self, secret: str) -> bool:
        """Whether a signature is the secret's, at whatever time a test's clock stood."""
        at = dt.datetime.fromtimestamp(int(self.headers["webhook-timestamp"]), dt.UTC)
        return Webhook(secret).sign(self.id, at, self.body.decode()) in self.headers["webhook-signature"].split(" ")


@dataclass
class Receiver:
    """What came, in order. `answer` says what a request is answered; it may also block."""

    url: str = ""
    came: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Answer] = lambda _: (204, {})
    _came: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int, timeout: float = 20) -> list[Received]:
        """The requests, once there are so many."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.came) >= count, timeout), f"{len(self.came)} of {count} came"
            return list(self.came)

    def handled(self) -> Counter[str]:
        """What a receiver does that drops repeats: each webhook-id once; the count says how often it came."""
        return Counter(each.id for each in self.came)

    def take(self, received: Received) -> Answer:
        with self._came:
            self.came.append(received)
            self._came.notify_all()
        return self.answer(received)


@contextlib.contextmanager
def receiver(tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """A receiver that answers 204 until it is told otherwise; closed at the end of the block."""
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, extra = found.take(Received(self.path, headers, body))
            with contextlib.suppress(OSError):  # the sender may not have waited
                self.send_response(status)
                for name, value in {"Content-Length": "0", **extra}.items():
                    self.send_header(name, value)
                self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    found.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
