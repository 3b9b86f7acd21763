from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
import uvicorn

from antiphon.server.azure import connect
from antiphon.server.azure.authority import PrivateAuthority
from antiphon.server.azure.connect import TUNNEL_STATE, protocol_class
from antiphon.server.services import Services

REGION = "https://eastus-v2.quantum.azure.com"


async def tells_what_it_got(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    got = {
        "method": scope["method"],
        "path": scope["path"],
        "scheme": scope["scheme"],
        "host": dict(scope["headers"]).get(b"host", b"").decode(),
        "size": len(body),
        "tunnel": scope["state"].get(TUNNEL_STATE),
    }
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(got).encode()})


@dataclass
class Running:
    port: int
    authority: PrivateAuthority

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.authority.certificate_pem)

    def tunnel(self) -> ssl.SSLSocket:
        line = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        line.sendall(b"CONNECT eastus.quantum.azure.com:443 HTTP/1.0\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 200 ")
        return self.trusting().wrap_socket(line, server_hostname="eastus.quantum.azure.com")

    def client(self) -> httpx2.Client:
        return httpx2.Client(proxy=self.url, verify=self.trusting(), trust_env=False)


LOOPS = {"asyncio": asyncio.new_event_loop}
if find_spec("uvloop"):
    LOOPS["uvloop"] = import_module("uvloop").new_event_loop


@pytest.fixture(scope="module", params=LOOPS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """On the loop of the standard library and, where it is installed, on the one that a server really has."""
    home = tmp_path_factory.mktemp("home")
    services = cast("Services", SimpleNamespace(running=SimpleNamespace(home=home)))
    config = uvicorn.Config(
        tells_what_it_got, http=protocol_class(services), ws="none", lifespan="off", log_config=None
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with asyncio.Runner(loop_factory=LOOPS[request.param]) as runner:
            runner.run(server.serve(sockets=[listener]))

    thread = threading.Thread(target=serve)
    thread.start()
    yield Running(listener.getsockname()[1], PrivateAuthority(home))
    server.should_exit = True
    thread.join(10)
    listener.close()
    assert not thread.is_alive()


def exchange(port: int, *parts: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        for part in parts:
            line.sendall(part)
        line.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: line.recv(65536), b""))


def test_a_request_for_azure_comes_to_the_app_with_its_own_host(server: Running) -> None:
    with server.client() as client:
        first = client.get(f"{REGION}/subscriptions/x?api-version=1").json()
        again = client.put(f"{REGION}/big", content=b"x" * 3_000_000).json()
    assert first == {
        "method": "GET",
        "path": "/subscriptions/x",
        "scheme": "https",
        "host": "eastus-v2.quantum.azure.com",
        "size": 0,
        "tunnel": server.url,
    }
    assert again["size"] == 3_000_000


def test_many_tunnels_at_once(server: Running) -> None:
    found: list[str] = []

    def ask(region: str) -> None:
        with server.client() as client:
            found.append(client.get(f"https://{region}.quantum.azure.com/").json()["host"])

    threads = [threading.Thread(target=ask, args=(f"region{n % 3}",)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted(f"region{n % 3}.quantum.azure.com" for n in range(12))


def test_ordinary_requests_are_as_before(server: Running) -> None:
    with httpx2.Client(trust_env=False) as client:
        got = client.get(f"{server.url}/livez").json()
    assert (got["path"], got["scheme"], got["tunnel"]) == ("/livez", "http", None)


def test_an_ordinary_request_may_come_in_small_pieces(server: Running) -> None:
    answer = exchange(server.port, b"C", b"OPY /x HTTP/1.1\r\n", b"Host: here\r\n\r\n")
    assert b'"method": "COPY"' in answer


def test_connect_may_come_in_small_pieces(server: Running) -> None:
    answer = exchange(server.port, b"CON", b"NECT eastus.quantum.azure.com:443 HT", b"TP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "target",
    [
        "example.com:443",
        "eastus.quantum.azure.com:80",
        "eastus.quantum.azure.com",
        "eastus.quantum.azure.com.example.com:443",
        "a.b.quantum.azure.com:443",
        "login.microsoftonline.com:443",
        "127.0.0.1:22",
        "[::1]:443",
    ],
)
def test_it_is_a_proxy_to_nowhere_else(server: Running, target: str) -> None:
    answer = exchange(server.port, f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 403 This is Antiphon")


def test_a_client_is_told_why_in_its_own_error(server: Running) -> None:
    with server.client() as client, pytest.raises(httpx2.ProxyError, match="Antiphon"):
        client.get("https://example.com/")


@pytest.mark.parametrize(
    "request_",
    [
        b"CONNECT \r\n\r\n",
        b"CONNECT eastus.quantum.azure.com:443 HTTP/1.1\r\n\r\n",
        b"CONNECT eastus.quantum.azure.com:443 HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
        b"CONNECT eastus.quantum.azure.com:443 HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    ],
    ids=["no target", "no host in 1.1", "a body", "talks before the answer"],
)
def test_a_malformed_connect_is_refused(server: Running, request_: bytes) -> None:
    assert exchange(server.port, request_).startswith(b"HTTP/1.1 400 ")


def test_an_endless_connect_is_cut_off(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(b"CONNECT ")
        with pytest.raises(OSError):
            for _ in range(1000):
                line.sendall(b"x" * 65536)


def test_a_client_that_does_not_trust_the_authority_leaves_no_trace(server: Running) -> None:
    with (
        httpx2.Client(proxy=server.url, verify=ssl.create_default_context(), trust_env=False) as stranger,
        pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        stranger.get(REGION)
    test_ordinary_requests_are_as_before(server)


def test_something_else_than_tls_in_the_tunnel_ends_it(server: Running) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(b"CONNECT eastus.quantum.azure.com:443 HTTP/1.0\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 200 ")
        line.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b"HTTP/1" not in b"".join(iter(lambda: line.recv(65536), b""))


def test_a_head_that_does_not_come_ends_the_tunnel(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect._Inside, "head_seconds", 0.1)
    with server.tunnel() as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x")
        assert line.recv(100) == b""


def test_a_tunnel_that_cannot_be_opened_is_closed(
    server: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("no certificate")

    monkeypatch.setattr(PrivateAuthority, "context_for", broken)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(b"CONNECT eastus.quantum.azure.com:443 HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert line.recv(1000) == b""
    assert "a tunnel could not be opened" in caplog.text


def test_the_first_request_may_come_in_the_breath_of_the_handshake(server: Running) -> None:
    """TLS bytes cut one by one and glued together must not matter: whatever comes before the tunnel stands is kept."""
    context = server.trusting()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="eastus.quantum.azure.com")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as line:
        line.sendall(b"CONNECT eastus.quantum.azure.com:443 HTTP/1.0\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 200 ")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                line.sendall(outgoing.read())
                incoming.write(line.recv(65536))
        tls.write(b"GET /at-once HTTP/1.1\r\nHost: eastus.quantum.azure.com\r\n\r\n")
        line.sendall(outgoing.read())  # the end of the handshake and the request, in one piece
        answer = b""
        while b"/at-once" not in answer:
            incoming.write(line.recv(65536))
            try:
                answer += tls.read(65536)
            except ssl.SSLWantReadError:
                continue
