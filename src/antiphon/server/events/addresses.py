"""Where deliveries may go: not into the server's own network, whatever a name resolves to (SSRF).

A name is resolved once for each attempt, every address it has is checked, and the connection is made to an address that
was checked: a second answer of the name server (DNS rebinding) is never asked for.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx2

from antiphon.errors import LimitError

LONGEST_URL = 2_000
RESOLVE_S = 5.0
RESOLVERS = 64
MOST_ADDRESSES = 4
"""Addresses of one name that an attempt tries."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""Addresses of a host, as text; raises OSError when there is none. Blocking."""

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Destination:
    """One checked address to connect to, for a URL.

    Attributes:
        url: The URL with the address in place of the host.
        host: What the `Host` header says: the URL's own host and port.
        name: What the certificate must be for.
    """

    url: httpx2.URL
    host: str
    name: str


def read_url(url: str) -> httpx2.URL:
    """A URL that a webhook can have; nothing is resolved.

    Raises:
        LimitError: Not http or https, no host, or with user and password in it (code "webhook-url-invalid").
    """
    try:
        found = httpx2.URL(url)
        # Both are worked out when they are asked for.
        scheme, host, port = found.scheme, found.host, found.port
    except (httpx2.InvalidURL, ValueError) as error:
        raise _invalid("it does not read as a URL") from error
    if len(url) > LONGEST_URL or not url.isprintable():
        raise _invalid(f"it needs up to {LONGEST_URL} printable characters")
    if scheme not in {"http", "https"}:
        raise _invalid("it begins neither with https:// nor with http://")
    if not host:
        raise _invalid("it has no host")
    if found.userinfo:
        raise _invalid("it has a user or a password in it, which the log would show")
    if port is not None and not 0 < port < 65_536:
        raise _invalid(f"there is no port {port}")
    return found


def is_public(address: str) -> bool:
    """Whether an address belongs to the public network; one that stands for another is judged by both."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found in _NAT64:
        # Where only IPv6 is spoken, every address of the older protocol looks so; the prefix itself says nothing.
        return _is_public(ipaddress.IPv4Address(int(found) & 0xFFFFFFFF))
    return all(_is_public(each) for each in (found, *_within(found)))


def system_addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says, which also reads every notation of numbers (0x7f000001, 127.1)."""
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(str(error)) from error
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


class AddressGuard:
    """Turns URLs into addresses that may be connected to.

    Args:
        allow_private: Let private addresses pass: for tests and for networks that are closed as a whole.
        resolve: The resolver; the system's by default.
    """

    def __init__(self, *, allow_private: bool, resolve: Resolve = system_addresses) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        # A name server that does not answer holds a thread until the system's own time is up: never one of a request.
        self._threads = ThreadPoolExecutor(RESOLVERS, thread_name_prefix="antiphon-resolve")

    async def destinations(self, url: str) -> list[Destination]:
        """The addresses to try in order; never empty.

        Raises:
            LimitError: The URL is none for a webhook (code "webhook-url-invalid"), its host has no address (code
                "webhook-host-unknown"), or one of its addresses is not public (code "webhook-address-refused").
        """
        read = read_url(url)
        port = read.port or (443 if read.scheme == "https" else 80)
        name = read.raw_host.decode("ascii").strip("[]")
        addresses = await self._addresses(name, port)
        if not self._allow_private and not all(map(is_public, addresses)):
            # Which address it was is not told: a caller must not learn what names inside the network stand for.
            raise LimitError(
                "Webhooks cannot be sent to this host: it has an address that is not public.",
                code="webhook-address-refused",
                cause="private, loopback, link-local, shared and multicast addresses are refused",
                next_step="Use a public address, or have the operator set webhooks_allow_private in a closed network.",
            )
        host = read.netloc.decode("ascii")
        return [Destination(read.copy_with(host=address), host, name) for address in addresses[:MOST_ADDRESSES]]

    def close(self) -> None:
        """Let the threads go; what is being resolved is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        looking = asyncio.get_running_loop().run_in_executor(self._threads, self._resolve, host, port)
        try:
            async with asyncio.timeout(RESOLVE_S):
                found = await looking
        except TimeoutError:
            raise _unknown(f"its name was not resolved within {RESOLVE_S:g} s") from None
        except OSError as error:
            raise _unknown(f"its name cannot be resolved: {error.strerror or type(error).__name__}") from None
        if not found:
            raise _unknown("its name has no address")
        return found


def _is_public(address: Address) -> bool:
    refused = (
        address.is_private,
        address.is_loopback,
        address.is_link_local,
        address.is_multicast,
        address.is_reserved,
        address.is_unspecified,
        isinstance(address, ipaddress.IPv6Address) and address.is_site_local,
    )
    return address.is_global and not any(refused)


def _within(address: Address) -> list[Address]:
    """The addresses that one of a transition technique stands for."""
    if not isinstance(address, ipaddress.IPv6Address):
        return []
    found = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return [each for each in found if each is not None]


def _invalid(cause: str) -> LimitError:
    return LimitError(
        "This cannot be the URL of a webhook.",
        code="webhook-url-invalid",
        cause=cause,
        next_step="Give a URL such as https://example.org/hooks/antiphon.",
    )


def _unknown(cause: str) -> LimitError:
    return LimitError(
        "The host of this webhook has no address.",
        code="webhook-host-unknown",
        cause=cause,
        next_step="Check the URL for typing errors.",
    )
