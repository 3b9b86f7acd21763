from __future__ import annotations

import asyncio
import base64
import json
import re
import socket
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import httpx2
import pytest

from antiphon.domain.identity import Role
from antiphon.server.azure.app import sweeping
from antiphon.server.azure.sas import Grant
from antiphon.server.azure.views import SIGNED_FOR_S
from azure_wire import AzureWire
from served import Served

BLOCK = {"x-ms-blob-type": "BlockBlob"}


class Container:
    """One container, with the signed URL that opens it."""

    def __init__(self, wire: AzureWire, name: str) -> None:
        self.name = name
        self.blobs = wire.blobs
        self.address, _, self.query = wire.sas(name).partition("?")

    def url(self, blob: str = "", extra: str = "") -> str:
        return f"{self.address}{'/' + blob if blob else ''}?{extra}{self.query}"

    def put(self, blob: str, data: bytes, extra: str = "", **headers: str) -> httpx2.Response:
        return self.blobs.put(self.url(blob, extra), content=data, headers={**BLOCK, **headers})

    def get(self, blob: str, **headers: str) -> httpx2.Response:
        return self.blobs.get(self.url(blob), headers=headers)


@pytest.fixture
def container(wire: AzureWire) -> Container:
    return Container(wire, f"c-{wire.workspace}")


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a refusal, which stands in a header and in the XML."""
    code = answer.headers["x-ms-error-code"]
    if answer.content:
        root = ET.fromstring(answer.text)
        assert (root.tag, root.findtext("Code")) == ("Error", code)
        assert root.findtext("Message")
    return answer.status_code, code


def test_a_container_stands_twice_in_its_url(wire: AzureWire) -> None:
    url = urlsplit(wire.sas("job-1"))
    assert url.path == "/job-1/job-1"
    assert f"{url.scheme}://{url.netloc}" == str(wire.http.base_url).rstrip("/")
    query = parse_qs(url.query)
    assert set(query) == {"sv", "se", "sr", "sp", "sig"}
    assert (query["sr"], set(query["sp"][0])) == (["c"], set("racwl"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", query["se"][0])
    assert urlsplit(wire.sas("job-1", "a b")).path == "/job-1/job-1/a%20b"


@pytest.mark.parametrize("data", [b"x", bytes(range(256)) * 1_000])
def test_a_blob_comes_back_as_it_was_put(container: Container, data: bytes) -> None:
    headers = {"x-ms-blob-content-type": "application/qir", "x-ms-version": "2026-10-06"}
    put = container.put("a", data, **headers)
    assert put.status_code == 201
    assert put.headers["x-ms-version"] == "2026-10-06"
    got = container.get("a")
    assert (got.status_code, got.content) == (200, data)
    assert got.headers["content-type"] == "application/qir"
    assert got.headers["x-ms-blob-type"] == "BlockBlob"
    assert got.headers["etag"] == put.headers["etag"]
    assert got.headers["last-modified"].endswith("GMT")
    head = container.blobs.head(container.url("a"))
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(data)), b"")


def test_what_is_there_is_replaced_only_if_that_is_allowed(container: Container) -> None:
    assert container.put("a", b"one", **{"If-None-Match": "*"}).status_code == 201
    assert refusal(container.put("a", b"two", **{"If-None-Match": "*"})) == (409, "BlobAlreadyExists")
    assert container.get("a").content == b"one"
    first = container.get("a").headers["etag"]
    assert container.put("a", b"two").status_code == 201
    assert container.get("a").content == b"two"
    assert refusal(container.get("a", **{"If-Match": first})) == (412, "ConditionNotMet")


@pytest.mark.parametrize(
    ("asked", "status", "content", "place"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=0-33554431", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
        ("bytes=5-2", 200, b"0123456789", None),
        ("bytes=abc", 200, b"0123456789", None),
    ],
)
@pytest.mark.parametrize("header", ["x-ms-range", "Range"])
def test_ranges(container: Container, header: str, asked: str, status: int, content: bytes, place: str | None) -> None:
    container.put("digits", b"0123456789")
    got = container.get("digits", **{header: asked})
    assert (got.status_code, got.content, got.headers.get("content-range")) == (status, content, place)


def test_a_range_of_nothing_is_refused_and_the_whole_of_it_is_not(container: Container) -> None:
    container.put("empty", b"")
    refused = container.get("empty", **{"x-ms-range": "bytes=0-33554431"})
    assert refusal(refused) == (416, "InvalidRange")
    assert refused.headers["content-range"] == "bytes */0"
    assert (container.get("empty").status_code, container.get("empty").content) == (200, b"")


def test_a_large_blob_comes_in_blocks_and_goes_in_pieces(container: Container) -> None:
    parts = [bytes([n]) * (3 * 1024 * 1024) for n in range(3)]
    ids = [base64.b64encode(f"{n:08}".encode()).decode() for n in range(3)]
    for block, part in zip(reversed(ids), reversed(parts), strict=True):
        assert container.put("large", part, f"comp=block&blockid={block}&").status_code == 201
    assert refusal(container.get("large")) == (404, "BlobNotFound")
    listed = "".join(f"<Latest>{block}</Latest>" for block in ids)
    body = f'<?xml version="1.0" encoding="utf-8"?><BlockList>{listed}</BlockList>'.encode()
    done = container.put("large", body, "comp=blocklist&", **{"x-ms-blob-content-type": "text/x"})
    assert done.status_code == 201
    whole = container.get("large")
    assert whole.content == b"".join(parts)
    assert (whole.headers["content-type"], whole.headers["content-length"]) == ("text/x", str(9 * 1024 * 1024))
    piece = container.get("large", **{"x-ms-range": "bytes=3145727-3145728"})
    assert piece.content == b"\0\1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<BlockList><Latest>bm9uZQ==</Latest></BlockList>", "InvalidBlockList"),
        (b"<BlockList><Committed>a</Committed></BlockList>", "InvalidXmlDocument"),
        (b"<Other/>", "InvalidXmlDocument"),
        (b"no xml", "InvalidXmlDocument"),
        (b"\xff\xfe", "InvalidXmlDocument"),
        (b'<!DOCTYPE a [<!ENTITY b "bb">]><BlockList><Latest>&b;</Latest></BlockList>', "InvalidXmlDocument"),
    ],
)
def test_a_block_list_that_makes_no_sense_is_refused(container: Container, body: bytes, code: str) -> None:
    assert refusal(container.put("x", body, "comp=blocklist&")) == (400, code)


def test_a_container_lists_its_blobs(container: Container) -> None:
    for name in ("b", "a & <b>", "dir/c"):
        container.put(name.replace(" ", "%20").replace("&", "%26"), name.encode())
    answer = container.blobs.get(container.url("", "restype=container&comp=list&"))
    root = ET.fromstring(answer.text)
    assert root.tag == "EnumerationResults"
    found = {blob.findtext("Name"): blob.findtext("Properties/Content-Length") for blob in root.findall("Blobs/Blob")}
    assert found == {"a & <b>": "7", "b": "1", "dir/c": "5"}
    assert root.find("NextMarker") is not None
    assert {each.tag for each in root.findall("Blobs/Blob/Properties/*")} >= {
        "Content-Length", "Content-Type", "BlobType", "Etag", "Last-Modified", "Creation-Time",
    }  # fmt: skip


def test_older_clients_look_for_the_container_first(container: Container) -> None:
    assert container.blobs.get(container.url("", "restype=container&")).status_code == 200
    assert refusal(container.blobs.put(container.url("", "restype=container&"))) == (409, "ContainerAlreadyExists")


@pytest.mark.parametrize(
    ("method", "blob", "extra"),
    [("PUT", "a", "comp=metadata&"), ("PUT", "a", "comp=appendblock&"), ("DELETE", "a", ""), ("POST", "a", "")],
)
def test_what_the_storage_does_not_do_is_refused(container: Container, method: str, blob: str, extra: str) -> None:
    answer = container.blobs.request(method, container.url(blob, extra), content=b"")
    assert refusal(answer) == (405, "UnsupportedHttpVerb")


def test_only_block_blobs_are_kept(container: Container) -> None:
    assert refusal(container.put("a", b"", **{"x-ms-blob-type": "AppendBlob"})) == (400, "InvalidHeaderValue")


@pytest.mark.parametrize("name", ["rawOutputData", "outputData", "rawOutputData-7"])
def test_nobody_writes_a_result_but_the_service(container: Container, name: str) -> None:
    assert refusal(container.put(name, b"forged")) == (409, "BlobImmutableDueToPolicy")


@pytest.mark.parametrize("name", ["a%00b", "a%0Ab", "x" * 1_025])
def test_what_names_no_blob_is_refused(container: Container, name: str) -> None:
    assert refusal(container.put(name, b"")) == (400, "InvalidResourceName")


def _without_signature(url: str) -> str:
    return url.partition("?")[0]


def _other_blob(url: str) -> str:
    return url.replace("/mine?", "/other?")


def _more_permissions(url: str) -> str:
    return url.replace("sp=r&", "sp=racwdl&")


def _longer(url: str) -> str:
    return re.sub(r"se=\d{4}", "se=2999", url)


def _whole_container(url: str) -> str:
    return url.replace("sr=b", "sr=c")


def _other_signature(url: str) -> str:
    return re.sub(r"sig=[^&]*", "sig=" + base64.b64encode(b"x" * 32).decode().replace("=", "%3D"), url)


@pytest.mark.parametrize(
    "change", [_without_signature, _other_blob, _more_permissions, _longer, _whole_container, _other_signature]
)
def test_a_signature_opens_only_what_was_signed(
    server: Served, container: Container, change: Callable[[str], str]
) -> None:
    for name in ("mine", "other"):
        container.put(name, b"data")
    signer = server.app.state.azure.signer
    grant = Grant(container.name, "mine", "r", server.ctx.clock.now() + 60)
    url = f"{container.address}/mine?{signer.sign(grant)}"
    assert container.blobs.get(url).content == b"data"
    assert refusal(container.blobs.get(change(url))) == (403, "AuthenticationFailed")
    assert container.blobs.head(change(url)).status_code == 403


def test_a_signature_to_read_writes_nothing(server: Served, container: Container) -> None:
    grant = Grant(container.name, None, "rl", server.ctx.clock.now() + 60)
    url = f"{container.address}/a?{server.app.state.azure.signer.sign(grant)}"
    assert refusal(container.blobs.put(url, content=b"x", headers=BLOCK)) == (403, "AuthorizationPermissionMismatch")


def test_a_signature_ends(server: Served, container: Container) -> None:
    container.put("a", b"x")
    grant = Grant(container.name, "a", "r", server.ctx.clock.now() - 1)
    refused = container.blobs.get(f"{container.address}/a?{server.app.state.azure.signer.sign(grant)}")
    assert refusal(refused) == (403, "AuthenticationFailed")
    assert "expired" in refused.text


def test_an_api_key_does_not_open_the_storage(wire: AzureWire, container: Container) -> None:
    container.put("a", b"x")
    assert refusal(wire.http.get(f"{container.address}/a")) == (403, "AuthenticationFailed")


def test_the_container_of_another_workspace_is_not_signed_for(server: Served, container: Container) -> None:
    for role in (Role.ADMIN, Role.VIEWER):
        with server.client(role, workspace="strangers") as client, AzureWire(client, "strangers") as stranger:
            answer = stranger.call("POST", "/storage/sasUri", {"containerName": container.name})
            assert answer.status_code in {403, 404}
            assert "sig=" not in answer.text


def test_who_only_reads_gets_a_signature_that_only_reads(server: Served, wire: AzureWire) -> None:
    wire.sas("job-there")
    with server.client(Role.VIEWER, workspace=wire.workspace) as client, AzureWire(client, wire.workspace) as viewer:
        assert parse_qs(viewer.sas("job-there").partition("?")[2])["sp"] == ["rl"]
        assert parse_qs(viewer.sas("job-there", "a").partition("?")[2])["sp"] == ["r"]
        assert viewer.call("POST", "/storage/sasUri", {"containerName": "job-new"}).status_code == 404


@pytest.mark.parametrize("name", ["", "a", "a--b", "../..", "a/b", "-ab", "x" * 64, "job_1"])
def test_what_names_no_container_is_refused(wire: AzureWire, name: str) -> None:
    answer = wire.call("POST", "/storage/sasUri", {"containerName": name})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidResourceName")


def test_uploads_without_a_job_are_collected_and_others_are_not(server: Served, wire: AzureWire) -> None:
    kept = wire.job(wire.submit().json()["id"])
    lost = Container(wire, "job-that-never-came")
    lost.put("inputData", b"x" * 1_000)
    storage = server.app.state.azure.storage
    assert storage.collect(server.ctx.clock.now() - SIGNED_FOR_S) == 0
    while storage.collect(server.ctx.clock.now() + 1):
        pass
    assert refusal(lost.get("inputData")) == (404, "BlobNotFound")
    assert refusal(lost.put("inputData", b"again")) == (404, "ContainerNotFound")
    assert not any(server.services.running.home.rglob("job-that-never-came"))
    assert wire.blobs.get(kept["inputDataUri"]).status_code == 200


def test_abandoned_uploads_are_looked_for_as_long_as_the_server_runs(
    server: Served, wire: AzureWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire.sas("job-abandoned")
    storage = server.app.state.azure.storage
    monkeypatch.setattr("antiphon.server.azure.app.SWEEP_EVERY_S", 0.01)
    monkeypatch.setattr("antiphon.server.azure.app.ABANDONED_AFTER_S", -1.0)

    async def look() -> None:
        async with asyncio.timeout(30), sweeping(server.services, storage):
            while storage.has_container("job-abandoned"):
                await asyncio.sleep(0.01)

    asyncio.run(look())


def test_a_blob_that_is_too_large_is_refused_before_it_is_read(server: Served, container: Container) -> None:
    limit = server.services.settings.max_blob_bytes
    url = urlsplit(container.url("a"))
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: x\r\nContent-Length: {limit + 1}\r\n\r\n"
    with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as raw:
        raw.sendall(head.encode())
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"x-ms-error-code: RequestBodyTooLarge" in answer
    assert ET.fromstring(answer.partition(b"\r\n\r\n")[2]).findtext("Code") == "RequestBodyTooLarge"


def test_nothing_of_a_signature_is_in_an_error(container: Container) -> None:
    signature = parse_qs(container.query)["sig"][0]
    answer = container.put("rawOutputData", b"")
    assert signature not in json.dumps(dict(answer.headers)) + answer.text
