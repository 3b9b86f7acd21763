"""An answer's head and body in one piece of the line.

uvicorn writes them one after the other, and each write is a call of the system that wakes the client: the second one is
about a tenth of what a status poll costs.
"""

from __future__ import annotations

import asyncio

_HEAD = b"HTTP/1."
_SMALL = 64 * 1024
"""A larger body is not copied to be joined with its head."""


class JoinedWrites:
    """A connection's transport as uvicorn's answers use it: a head waits for what is written next.

    It waits for nothing else: without a body at hand it goes out with the event loop's next turn.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Write, or keep a head for a moment."""
        head, self._head = self._head, b""
        if head and len(data) > _SMALL:
            self._transport.write(head)
            self._transport.write(data)
        elif head:
            self._transport.write(head + data)
        elif data.startswith(_HEAD):
            self._head = data
            self._loop.call_soon(self.flush)
        else:
            self._transport.write(data)

    def flush(self) -> None:
        """Write what is kept."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Close the connection once all is written."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()
