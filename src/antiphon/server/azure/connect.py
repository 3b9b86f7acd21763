"""An HTTP proxy in front of the app that leads to the app alone: how an untouched Azure program reaches this server.

Microsoft's clients take a connection string only with an address of Azure's. With HTTPS_PROXY naming this server they
send it `CONNECT eastus.quantum.azure.com:443`; it answers with a certificate of its own private authority and serves
the requests inside. Nothing is ever passed on to anywhere.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from antiphon.server.azure.authority import PrivateAuthority
from antiphon.server.heads import HeadDeadline

if TYPE_CHECKING:
    from antiphon.server.services import Services

log = logging.getLogger("antiphon.server")

TUNNEL_STATE = "azure_tunnel"
"""Name in `request.state` of a request that came through the proxy: the URL "http://host:port" under which its client
reaches this server without the proxy, and under which blob URIs must be handed out. Absent from all other requests."""

_OURS = re.compile(r"((?:[a-z0-9]+(?:-v2)?\.quantum|management)\.azure\.com):443")
_CONNECT = b"CONNECT "
_HANDSHAKE_SECONDS = 10.0
_GOODBYE_SECONDS = 0.5
"""An idle client answers no TLS goodbye; a server that is told to stop must not wait for it."""


def protocol_class(services: Services) -> type[H11Protocol]:
    """The protocol to give uvicorn as `http=`: its own HTTP/1.1, and CONNECT to Azure's names.

    Raises:
        StoreError: The private authority cannot be made or read.
    """
    return type("ConnectProtocol", (_ConnectProtocol,), {"authority": PrivateAuthority(services.running.home)})


class _ConnectProtocol(H11Protocol):
    """uvicorn's protocol, but for a connection whose first request is CONNECT."""

    authority: PrivateAuthority

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._start = b""
        self._receive: Callable[[bytes], None] = self._receive_first

    def data_received(self, data: bytes) -> None:
        """What came over the wire."""
        self._receive(data)

    def _receive_first(self, data: bytes) -> None:
        self._start += data
        if self._start.startswith(_CONNECT):
            self._receive = self._receive_connect
        elif _CONNECT.startswith(self._start):
            return  # too short to tell
        else:
            self._receive = super().data_received
        self._receive(self._start)

    def _receive_connect(self, data: bytes) -> None:
        self.conn.receive_data(data)
        try:
            event = self.conn.next_event()
            if event is h11.NEED_DATA:
                return
            after = self.conn.next_event()
        except h11.RemoteProtocolError:
            self.send_400_response("Invalid HTTP request received.")
            return
        if not isinstance(event, h11.Request) or not isinstance(after, h11.EndOfMessage) or self.conn.trailing_data[0]:
            self.send_400_response("A CONNECT request has no body, and nothing follows it before its answer.")
            return
        target = event.target.decode("ascii", "replace").lower()
        found = _OURS.fullmatch(target)
        if found is None:
            self._refuse(target)
            return
        # Nothing may arrive between the answer and the TLS that takes the connection over.
        self.transport.pause_reading()
        self.connections.discard(self)
        task = self.loop.create_task(self._open(found[1]))
        self.tasks.add(task)
        task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            log.error("a tunnel could not be opened", exc_info=fault)
        if fault is not None or task.cancelled():
            self.transport.abort()  # or the client would wait for ever

    def _refuse(self, target: str) -> None:
        log.info("refused to be a proxy", extra={"target": target[:200]})
        # Python's clients show the reason of a refused tunnel and nothing else of the answer.
        reason = b"This is Antiphon, which stands in for Azure Quantum only and passes nothing on; see NO_PROXY"
        body = reason + b".\n"
        headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body))), ("Connection", "close")]
        for event in (
            h11.Response(status_code=403, headers=headers, reason=reason),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    async def _open(self, host: str) -> None:
        transport = self.transport
        context = await self.loop.run_in_executor(None, self.authority.context_for, host)
        if transport.is_closing():
            return
        answer = self.conn.send(h11.Response(status_code=200, headers=[], reason=b"Connection established"))
        address = transport.get_extra_info("sockname")
        inside = _Inside(
            self.config,
            self.server_state,
            {**self.app_state, TUNNEL_STATE: _url_of(address)},
            self.loop,
        )
        transport.write(answer or b"")
        try:
            secured = await self.loop.start_tls(
                transport,
                inside,
                context,
                server_side=True,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_GOODBYE_SECONDS,
            )
        except (OSError, ssl.SSLError) as error:
            # Mostly a client that does not trust the authority: it hangs up in the middle of the handshake.
            log.info("a client did not complete TLS", extra={"host": host, "reason": str(error)})
            transport.close()
            return
        if secured is not None:
            inside.connection_made(secured)


class _Inside(HeadDeadline, H11Protocol):
    """The app's HTTP inside the tunnel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._early = b""
        self._stands = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS stands; a quick client's first request may be here already."""
        # uvloop's transports are no subclasses of asyncio's.
        super().connection_made(cast("asyncio.Transport", transport))
        self._stands = True
        if self._early:
            super().data_received(self._early)
            self._early = b""

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        if self._stands:
            super().data_received(data)
        else:
            self._early += data

    def connection_lost(self, exc: Exception | None) -> None:
        """The client went away, perhaps before TLS stood."""
        if self._stands:
            super().connection_lost(exc)


def _url_of(address: tuple[Any, ...]) -> str:
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
