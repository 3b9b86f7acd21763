"""Which URLs to hand out: the API under the name that the client used, the storage where the client can reach it."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

from starlette.requests import HTTPConnection

from antiphon.server.azure.connect import TUNNEL_STATE
from antiphon.server.azure.sas import Grant, SasSigner


def api_base(connection: HTTPConnection, public_url: str | None) -> str:
    """Scheme and host, without a slash at the end, that the client reaches the API under."""
    if public_url and _around_tunnel(connection) is None:
        return public_url.rstrip("/")
    url = connection.url
    return f"{url.scheme}://{url.netloc}"


def blob_base(connection: HTTPConnection, public_url: str | None) -> str:
    """The same for the storage.

    A client in our tunnel fetches blobs around it: the names of Azure's storage are not ours to answer for.
    """
    return _around_tunnel(connection) or api_base(connection, public_url)


def _around_tunnel(connection: HTTPConnection) -> str | None:
    """This server's own address, for a client that reached it through the tunnel; None for all others."""
    found: str | None = getattr(connection.state, TUNNEL_STATE, None)
    return found


def container_url(base: str, container: str) -> str:
    """Where a container is, unsigned.

    It comes twice: on a loopback host the blob client takes the first segment for the account, while the quantum client
    takes it for the container.
    """
    return f"{base}/{container}/{container}"


def blob_url(base: str, container: str, blob: str) -> str:
    """Where a blob is, unsigned."""
    return f"{container_url(base, container)}/{quote(blob)}"


def signed(base: str, grant: Grant, signer: SasSigner) -> str:
    """The URL of a container or blob with its signature."""
    if grant.blob is None:
        return f"{container_url(base, grant.container)}?{signer.sign(grant)}"
    return f"{blob_url(base, grant.container, grant.blob)}?{signer.sign(grant)}"


def container_and_blob(url: str) -> tuple[str, str]:
    """Container and blob of a storage URL, whatever its host and query; the blob is "" where the URL names none."""
    segments = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    if not segments:
        return "", ""
    container, *rest = segments
    if rest and rest[0] == container:
        rest = rest[1:]
    return container, "/".join(rest)
