"""A relay between a client and a server that can keep a certain request, or its answer, back."""

from __future__ import annotations

import contextlib
import re
import socket
import threading

CHUNK = 65_536


class HoldingRelay:
    """Listens on a port of its own; `hold` makes it keep what matches, until `release`."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._pattern: re.Pattern[bytes] | None = None
        self._keeps_answer = False
        self.held = threading.Event()
        self._go_on = threading.Event()
        self._go_on.set()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def hold(self, request_line: str, *, answer: bool) -> None:
        """Keep the next request whose first line matches: before the server has it, or its answer."""
        self.held.clear()
        self._go_on.clear()
        self._keeps_answer = answer
        self._pattern = re.compile(request_line.encode())

    def release(self) -> None:
        """Let go of what is kept; a client that is gone will not see it."""
        self._pattern = None
        self._go_on.set()

    def drop(self) -> None:
        """Forget what is kept: a request that was held never gets to the server."""
        self._pattern = None
        self._dropped = True
        self._go_on.set()

    def close(self) -> None:
        self.release()
        self._listening.close()

    _dropped = False

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection(self._server) as server:
            keep = threading.Event()
            back = threading.Thread(target=self._back, args=(server, client, keep), daemon=True)
            back.start()
            while chunk := client.recv(CHUNK):
                pattern = self._pattern
                if pattern is not None and pattern.match(chunk):
                    self._pattern = None
                    if self._keeps_answer:
                        keep.set()
                        server.sendall(chunk)
                        continue
                    self.held.set()
                    self._go_on.wait()
                    if self._dropped:
                        self._dropped = False
                        return
                server.sendall(chunk)

    def _back(self, server: socket.socket, client: socket.socket, keep: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(CHUNK):
                if keep.is_set():
                    self.held.set()
                    self._go_on.wait()
                    keep.clear()
                client.sendall(chunk)
            client.shutdown(socket.SHUT_WR)
