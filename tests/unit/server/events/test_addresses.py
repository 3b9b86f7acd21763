from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from antiphon.errors import LimitError
from antiphon.server.events import addresses
from antiphon.server.events.addresses import AddressGuard, Destination, Resolve, is_public


def destinations(url: str, *found: str, allow_private: bool = False) -> list[Destination]:
    """What the guard makes of a URL whose host has these addresses; without any, the system resolves it."""
    guard = AddressGuard(allow_private=allow_private, resolve=lambda _host, _port: found)
    if not found:
        guard = AddressGuard(allow_private=allow_private)
    try:
        return asyncio.run(guard.destinations(url))
    finally:
        guard.close()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8000/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://0x7f000001/",
        "http://0x0a000001/",
        "http://2130706433/",
        "http://127.1/",
        "http://0/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "http://239.255.255.250/",
        "http://255.255.255.255/",
        "http://240.0.0.1/",
        "http://198.51.100.7/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://[::]/",
        "http://[::127.0.0.1]/",
        "http://[2002:7f00:1::]/",
        "http://[64:ff9b::7f00:1]/",
        "http://127。0。0。1/",
    ],
)
def test_what_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(LimitError) as refused:
        destinations(url)
    assert refused.value.code == "webhook-address-refused"


@pytest.mark.parametrize("url", ["http://0177.0.0.1/", "http://\uff11\uff12\uff17.0.0.1/"])
def test_stranger_notations_of_loopback_are_refused_too(url: str) -> None:
    with pytest.raises(LimitError):
        destinations(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.org",
        "ftp://hooks.example.org/",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        "https://user:secret@hooks.example.org/",
        "https://user@hooks.example.org/",
        "http://hooks.example.org:0/",
        "http://hooks.example.org:65536/",
        "http://hooks.example.org\n/",
        "http://hooks.example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_url_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(LimitError) as refused:
        destinations(url, "8.8.8.8")
    assert refused.value.code == "webhook-url-invalid"
    assert "secret" not in str(refused.value)


def test_a_name_of_a_private_address_is_refused_and_the_address_not_told() -> None:
    for found in (("10.9.8.7",), ("8.8.8.8", "10.9.8.7"), ("2001:4860:4860::8888", "::1")):
        with pytest.raises(LimitError) as refused:
            destinations("https://intranet.example/", *found)
        assert refused.value.code == "webhook-address-refused"
        assert "10.9.8.7" not in str(refused.value)


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    [first, second] = destinations("https://hooks.example:8443/a?b=c", "8.8.8.8", "2001:4860:4860::8888")
    assert (str(first.url), first.host, first.name) == (
        "https://8.8.8.8:8443/a?b=c",
        "hooks.example:8443",
        "hooks.example",
    )
    assert str(second.url) == "https://[2001:4860:4860::8888]:8443/a?b=c"
    [named] = destinations("https://bücher.example/", "8.8.8.8")
    assert (named.host, named.name) == ("xn--bcher-kva.example", "xn--bcher-kva.example")


def test_a_name_is_resolved_once_for_an_attempt() -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    guard = AddressGuard(allow_private=False, resolve=rebinding)
    [destination] = asyncio.run(guard.destinations("http://rebinding.example/"))
    assert destination.url.host == "8.8.8.8"
    with pytest.raises(LimitError):
        asyncio.run(guard.destinations("http://rebinding.example/"))
    guard.close()


def test_in_a_closed_network_private_addresses_pass() -> None:
    [found] = destinations("http://127.0.0.1:9000/", allow_private=True)
    assert found.host == "127.0.0.1:9000"
    with pytest.raises(LimitError):
        destinations("http://user:pass@127.0.0.1/", allow_private=True)


def test_a_name_without_an_address_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_host: str, _port: int) -> Sequence[str]:
        raise OSError(-2, "Name or service not known")

    resolvers: tuple[Resolve, ...] = (nothing, lambda _host, _port: [])
    for resolve in resolvers:
        guard = AddressGuard(allow_private=False, resolve=resolve)
        with pytest.raises(LimitError) as refused:
            asyncio.run(guard.destinations("http://nowhere.example/"))
        assert refused.value.code == "webhook-host-unknown"
        guard.close()
    monkeypatch.setattr(addresses, "RESOLVE_S", 0.01)
    answered = threading.Event()

    def slow(_host: str, _port: int) -> Sequence[str]:
        answered.wait(20)
        return ["8.8.8.8"]

    guard = AddressGuard(allow_private=False, resolve=slow)
    with pytest.raises(LimitError) as late:
        asyncio.run(guard.destinations("http://slow.example/"))
    assert late.value.code == "webhook-host-unknown"
    answered.set()
    guard.close()


def test_public_addresses_are_public() -> None:
    for address in ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::1"):
        assert is_public(address), address
