"""One server process: a socket, uvicorn on it, and an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from antiphon.engine.context import EngineContext
from antiphon.errors import ConnectionFailedError, SettingsError
from antiphon.server.build import app_of, build_services
from antiphon.server.heads import HEAD_SECONDS, HeadDeadline
from antiphon.server.services import Services
from antiphon.server.settings import ServerSettings

log = logging.getLogger("antiphon.server")

BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than the usual 60 s of a proxy in front, which must be the one to close an idle connection."""
LAST_ANSWERS_S = 2
"""Time for answers that are being sent when the time to drain is over."""
TICK_S = 1.0
"""How often an idle server wakes by itself: the `Date` of its answers is as old as that."""
DRAINING_TICK_S = 0.1


def start(
    settings: ServerSettings, check: Callable[[ServerSettings, EngineContext], None]
) -> tuple[socket.socket, Services]:
    """Take the address and start the services; `check` may refuse, before anybody can connect.

    Raises:
        StoreError: The folder, the database or the server's secret cannot be used.
        ConnectionFailedError: The address cannot be listened on (code "address-unusable").
        SettingsError: The certificate or its key cannot be used (code "certificate-unusable").
    """
    _check_certificate(settings)
    services = build_services(settings)
    try:
        check(settings, services.engine)
        return bind(settings.host, settings.port), services
    except BaseException:
        services.running.close()
        raise


def serve(
    settings: ServerSettings,
    *,
    services: Services,
    listener: socket.socket,
    on_ready: Callable[[str, Services], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then drain (see `_Server`); a second signal ends at once.

    Args:
        services: From `start`; ended at the end.
        listener: From `start`; closed at the end.
        on_ready: Told the URL once requests are answered.
    """
    url = url_of(settings, listener)
    _allow_many_connections()
    config = uvicorn.Config(
        app_of(services),
        http=_protocol(services),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=settings.behind_proxy,
        forwarded_allow_ips=settings.trusted_proxies,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LAST_ANSWERS_S,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    _Server(config, services, lambda: on_ready(url, services) if on_ready else None).run(sockets=[listener])


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        ConnectionFailedError: Not possible; says why (code "address-unusable").
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.create_server(address[:2], family=family, backlog=BACKLOG)
        # Accepted connections inherit it; asyncio sets it only on sockets it made itself. Without it, every answer of
        # two segments waits 40 ms for the client's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise ConnectionFailedError(
            f"The server cannot listen on {host} port {port}.",
            code="address-unusable",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Choose another port with --port (0 takes a free one), or another address with --host.",
        ) from None
    listener.setblocking(False)
    return listener


def url_of(settings: ServerSettings, listener: socket.socket) -> str:
    """Where a server on this socket answers, as seen from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - turned to loopback
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_cert else 'http'}://{shown}:{listener.getsockname()[1]}"


def _check_certificate(settings: ServerSettings) -> None:
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        # With a key that asks for a password, nobody would be there to give it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except OSError as error:  # ssl.SSLError is one
        raise SettingsError(
            f"HTTPS cannot be served with the certificate {settings.tls_cert} and the key {settings.tls_key}.",
            code="certificate-unusable",
            cause=f"{type(error).__name__}: {error.strerror or error}",
            next_step="Give the chain of certificates and its private key as PEM files that this user may read.",
        ) from None


def _protocol(services: Services) -> type[asyncio.Protocol]:
    spoken: type[asyncio.Protocol] = AutoHTTPProtocol
    if services.settings.azure:
        from antiphon.server.azure.connect import protocol_class

        spoken = protocol_class(services)
    seconds = min(HEAD_SECONDS, services.settings.body_seconds)
    return type("Protocol", (HeadDeadline, spoken), {"head_seconds": seconds})


def _allow_many_connections() -> None:
    """Each open event stream needs a file descriptor; the usual soft limit is 1,024."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Server(uvicorn.Server):
    """Told to stop, it goes on answering but takes no new work, until what runs here has ended or the time is over.

    Then it closes; jobs that still run go back into the queue, for another engine or the next start.
    """

    def __init__(self, config: uvicorn.Config, services: Services, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._services = services
        self._on_started = on_started
        self._drained_by: float | None = None
        self._told = False
        self._signalled = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, and say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        """Begin to drain; the second time end at once."""
        if self._drained_by is not None:
            self.should_exit = self.force_exit = True
        else:
            self._services.draining = True
            self._drained_by = time.monotonic() + self._services.settings.drain_seconds
        if self._loop is not None:
            # A signal's handler may run in the middle of any line of the loop, which must be told as from outside.
            self._loop.call_soon_threadsafe(self._signalled.set)

    async def main_loop(self) -> None:
        """Tick until it is time to close; uvicorn's own loop wakes ten times a second for it."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S if self._drained_by is None else DRAINING_TICK_S):
                    await self._signalled.wait()
            self._signalled.clear()

    async def on_tick(self, counter: int) -> bool:
        """Whether to close."""
        if self._drained_by is not None and not self._told:
            # Not in the handler of the signal, which may have come in the middle of another line.
            self._told = True
            log.info("stopping", extra={"drain_seconds": self._services.settings.drain_seconds})
        if self._drained_by is not None and (self._is_idle() or time.monotonic() >= self._drained_by):
            # Streams and long polls would hold their connections open.
            await self._services.hub.stop()
            log.info("stopped taking requests", extra={"all_done": self._is_idle()})
            return True
        return await super().on_tick(counter)

    def _is_idle(self) -> bool:
        dispatcher = self._services.running.dispatcher
        if dispatcher is None:
            return True
        dispatcher.take_no_more()
        return dispatcher.is_idle
