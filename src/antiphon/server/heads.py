"""A time limit on the head of a request: uvicorn waits for ever for a client that sends one byte now and then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # What it is mixed into; at run time any of uvicorn's protocols will do.
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = object

HEAD_SECONDS = 20.0


class HeadDeadline(_Protocol):
    """Mixed in before one of uvicorn's HTTP protocols: closes a connection whose head does not come in time.

    The time begins when the connection is made and, on one that is kept alive, with the next request's first byte;
    between two requests uvicorn's own limit holds.
    """

    head_seconds = HEAD_SECONDS
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows it
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        if self._is_between_requests() and self._head_timer is None:
            self._await_head()
        super().data_received(data)
        if not self._is_between_requests():
            self._forget_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away."""
        self._forget_head()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """A short request may be answered while its data are still being read."""
        self._forget_head()
        super().on_response_complete()

    def _is_between_requests(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self._too_slow)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        # In a tunnel the connection belongs to another protocol by now.
        if self.transport.get_protocol() is self and self._is_between_requests():
            self.transport.close()
