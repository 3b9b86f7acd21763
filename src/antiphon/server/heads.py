"""Limits on the head of a request, and on requests in one breath.

uvicorn waits for ever for a slow head, and keeps a huge one in memory, as it keeps all requests that come before their
turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import h11
from uvicorn.protocols.http.flow_control import FlowControl

from antiphon.server.answers import JoinedWrites

if TYPE_CHECKING:
    # What it is mixed into; at run time either of uvicorn's protocols will do.
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Protocol
else:
    _Protocol = object

HEAD_SECONDS = 20.0
HEAD_BYTES = 64 * 1024
"""What h11 allows; httptools has no limit of its own."""


class _InTurn(FlowControl):
    """Reads no more requests while some wait for their turn, whoever asks for it."""

    def __init__(self, transport: asyncio.Transport, waiting: Callable[[], bool]) -> None:
        super().__init__(transport)
        self._waiting = waiting

    def resume_reading(self) -> None:
        """Read on, unless requests wait."""
        if self.read_paused and not self._waiting():
            super().resume_reading()


class HeadDeadline(_Protocol):
    """Mixed in before one of uvicorn's HTTP protocols: closes a connection whose head is late or too large.

    The time begins when the connection is made and, on one that is kept alive, with the next request's first byte;
    between two requests uvicorn's own limit holds. The rest of a body that nobody reads any more is no head.
    Of requests that a client sends without waiting for answers, one read's worth is taken at a time.
    """

    head_seconds = HEAD_SECONDS
    _head_timer: asyncio.TimerHandle | None = None
    _head_size = 0
    _in_head = True
    _ended_here = False
    _joined: JoinedWrites

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        super().connection_made(transport)  # type: ignore[arg-type] # uvicorn narrows it
        self.flow = _InTurn(self.flow._transport, self._has_waiting)
        self._joined = JoinedWrites(self.transport, self.loop)
        self._begin()

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        self._ended_here = False
        # What uvicorn says by itself to these bytes comes after the answer that is on its way.
        self._joined.flush()
        super().data_received(data)
        if not self._awaits_head():
            self._end()
            return
        if self._ended_here:
            # It is another head than the one before these bytes, and how many of them are its own is not told.
            self._end()
        if self._head_timer is None:
            self._begin()
        if not self._ended_here:
            self._head_size += len(data)
        if self._head_size > HEAD_BYTES:
            self._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away."""
        self._end()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Called by httptools with a head's first byte."""
        self._in_head = True
        super().on_message_begin()  # type: ignore[misc] # httptools' protocol has it

    def on_headers_complete(self) -> None:
        """Called by httptools at a head's end."""
        self._in_head = False
        super().on_headers_complete()  # type: ignore[misc] # httptools' protocol has it
        if self.cycle is not None:
            # Its answer has not begun: the task that gives it was made just now.
            self.cycle.transport = self._joined  # type: ignore[assignment] # what an answer needs of one

    def on_message_complete(self) -> None:
        """Called by httptools at a request's end."""
        self._ended_here = True
        super().on_message_complete()  # type: ignore[misc] # httptools' protocol has it

    def on_response_complete(self) -> None:
        """Called at an answer's end."""
        super().on_response_complete()
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        parser: Any = getattr(self, "conn", None)
        if parser is not None and self._head_timer is None and self._awaits_head() and parser.trailing_data[0]:
            self._begin()  # a head of which a part came before its turn

    def _has_waiting(self) -> bool:
        """Whether requests, or parts of one, have come that are not this one's."""
        parser: Any = getattr(self, "conn", None)
        if parser is None:
            return bool(getattr(self, "pipeline", None))
        return parser.their_state is h11.DONE and bool(parser.trailing_data[0])

    def _awaits_head(self) -> bool:
        parser: Any = getattr(self, "conn", None)
        return self._in_head if parser is None else parser.their_state is h11.IDLE

    def _begin(self) -> None:
        self._head_size = 0
        self._head_timer = self.loop.call_later(self.head_seconds, self._close)

    def _end(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _close(self) -> None:
        self._end()
        if self.flow.read_paused and self._head_size <= HEAD_BYTES:
            # It is not the client that we wait for.
            size = self._head_size
            self._begin()
            self._head_size = size
            return
        # In a tunnel the connection belongs to another protocol by now.
        if self.transport.get_protocol() is self and self._awaits_head():
            self.transport.close()
