"""HTTP as a hostile or broken client writes it: bytes on a socket."""

from __future__ import annotations

import contextlib
import re
import socket
from urllib.parse import urlsplit

CHUNK = 65_536
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def connect(url: str, seconds: float = 20.0) -> socket.socket:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname or "", parts.port or 80), timeout=seconds)


def statuses(url: str, sent: bytes, *, finish: bool = True, seconds: float = 20.0) -> list[int]:
    """The statuses that come back for these bytes until the server closes, or nothing more comes for `seconds`.

    Args:
        finish: Say that nothing more will be sent.
    """
    with connect(url, seconds) as connection:
        with contextlib.suppress(OSError):  # it may have been closed before all was sent
            connection.sendall(sent)
            if finish:
                connection.shutdown(socket.SHUT_WR)
        return [int(status) for status in _STATUS.findall(_received(connection))]


def _received(connection: socket.socket) -> bytes:
    found = bytearray()
    with contextlib.suppress(ConnectionError, TimeoutError):
        while chunk := connection.recv(CHUNK):
            found += chunk
    return bytes(found)
