"""The storage over HTTP, at `/<container>/<container>/…`: as much of the blob protocol as the quantum clients use."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate

from starlette.convertors import StringConvertor
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from antiphon.errors import AntiphonError
from antiphon.ports.azure_store import AzureBlob
from antiphon.server.azure.addresses import blob_base, container_url
from antiphon.server.azure.plane import AzurePlane, plane_of
from antiphon.server.azure.refusals import StorageRefusal, storage_response, unforeseen
from antiphon.server.azure.storage import RESULT, is_reserved
from antiphon.server.azure.storage_xml import block_ids, listing
from antiphon.server.errors import request_id_of

log = logging.getLogger("antiphon.server")

_PATH = re.compile(r"^/(?P<container>[A-Za-z0-9-]{3,63})/(?P=container)(?:/(?P<blob>.*))?$", re.DOTALL)
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{1,18})?")
_VERSION = re.compile(r"[0-9-]{1,32}")
_PIECE = 4 * 1024 * 1024
_MOST_BLOCK_LIST_BYTES = 8 * 1024 * 1024
_XML = "application/xml"


class StorageRoute(Route):
    """Every path whose first two segments are the same: the container, and the container again."""

    def __init__(self) -> None:
        super().__init__("/{container}/{blob:path}", storage, methods=None, include_in_schema=False)
        self.methods = None
        self.path_regex = _PATH
        self.param_convertors = {"container": _AsItIs(), "blob": _AsItIs()}


class _AsItIs(StringConvertor):
    def convert(self, value: str | None) -> str:
        return value or ""


async def storage(request: Request) -> Response:
    """Any request to the storage; every refusal is the protocol's own XML."""
    with_body = request.method != "HEAD"
    try:
        response = await _dispatch(request, plane_of(request))
    except AntiphonError as error:
        response = storage_response(error, with_body=with_body)
    except ClientDisconnect:
        raise
    except Exception:
        log.exception("a request failed", extra={"path": request.url.path})
        response = storage_response(unforeseen(), with_body=with_body)
    version = request.headers.get("x-ms-version", "")
    if _VERSION.fullmatch(version):
        response.headers["x-ms-version"] = version
    response.headers.setdefault("x-ms-request-id", request_id_of(request))
    if request.headers.get("x-ms-client-request-id", "").isalnum():
        response.headers["x-ms-client-request-id"] = request.headers["x-ms-client-request-id"]
    return response


async def _dispatch(request: Request, plane: AzurePlane) -> Response:
    container, blob = request.path_params["container"], request.path_params["blob"]
    query = request.query_params
    operation = (request.method, query.get("restype", "") if not blob else "blob", query.get("comp", ""))

    def permit(needed: str) -> None:
        plane.signer.check(query, container, blob or None, needed, plane.engine.clock.now())

    match operation:
        case ("PUT", "blob", "" | "block" | "blocklist"):
            permit("wc")
            return await _write(request, plane, container, blob, operation[2])
        case ("GET" | "HEAD", "blob", ""):
            permit("r")
            return await _read(request, plane, container, blob)
        case ("GET", "container", "list"):
            permit("lr")
            return await _list(request, plane, container)
        case ("GET" | "HEAD", "container", ""):
            permit("rlcw")
            if not await plane.services.call(plane.storage.has_container, container):
                raise StorageRefusal(404, "ContainerNotFound", f"There is no container {container}.")
            return Response(status_code=200)
        case ("PUT", "container", ""):
            permit("cw")
            raise StorageRefusal(409, "ContainerAlreadyExists", "storage/sasUri makes containers, and made this one.")
    raise StorageRefusal(405, "UnsupportedHttpVerb", "The storage does not have this operation.")


async def _write(request: Request, plane: AzurePlane, container: str, blob: str, comp: str) -> Response:
    if is_reserved(blob):
        raise StorageRefusal(409, "BlobImmutableDueToPolicy", f"{blob} is written by the service alone.")
    headers = request.headers
    if not comp and headers.get("x-ms-blob-type", "BlockBlob") != "BlockBlob":
        raise StorageRefusal(400, "InvalidHeaderValue", "Only block blobs are kept here.")
    body = await _body(request, _MOST_BLOCK_LIST_BYTES if comp == "blocklist" else plane.storage.max_blob_bytes)
    call = plane.services.call
    if comp == "block":
        block_id = request.query_params.get("blockid", "")
        if not 0 < len(block_id) <= 128:
            raise StorageRefusal(400, "InvalidQueryParameterValue", "blockid is missing or too long.")
        await call(plane.storage.stage_block, container, blob, block_id, body)
        return Response(status_code=201, headers={"x-ms-request-server-encrypted": "false"})
    content_type = headers.get("x-ms-blob-content-type") or "application/octet-stream"
    encoding = headers.get("x-ms-blob-content-encoding", "")
    overwrite = headers.get("if-none-match", "").strip() != "*"
    if comp == "blocklist":
        stored = await call(
            plane.storage.commit_blocks,
            container,
            blob,
            block_ids(body),
            content_type=content_type,
            content_encoding=encoding,
            overwrite=overwrite,
        )
    else:
        stored = await call(
            plane.storage.put,
            container,
            blob,
            body,
            content_type=content_type,
            content_encoding=encoding,
            overwrite=overwrite,
        )
    changed = {"ETag": stored.etag, "Last-Modified": formatdate(stored.modified_at, usegmt=True)}
    return Response(status_code=201, headers=changed | {"x-ms-request-server-encrypted": "false"})


async def _body(request: Request, limit: int) -> bytes:
    announced = request.headers.get("content-length", "")
    whole = io.BytesIO()
    size = int(announced) if announced.isdigit() else 0
    if size <= limit:
        async for chunk in request.stream():
            size = max(size, whole.tell() + len(chunk))
            if size > limit:
                break
            whole.write(chunk)
    if size > limit:
        raise StorageRefusal(413, "RequestBodyTooLarge", f"A body of more than {limit} bytes is not taken here.")
    if announced.isdigit() and whole.tell() != int(announced):
        raise StorageRefusal(400, "IncompleteBody", "Fewer bytes came than Content-Length says.")
    # `getvalue` hands out the buffer itself: the bytes are in memory once.
    return whole.getvalue()


async def _read(request: Request, plane: AzurePlane, container: str, name: str) -> Response:
    blob = await plane.services.call(plane.find_blob, container, name)
    if blob is None:
        raise StorageRefusal(404, "BlobNotFound", f"There is no blob {name}.")
    headers = {
        "ETag": blob.etag,
        "Last-Modified": formatdate(blob.modified_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Type": blob.content_type,
        "x-ms-blob-type": "BlockBlob",
        "x-ms-creation-time": formatdate(blob.created_at, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "false",
        # What came from a client is never shown as a page of this server.
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "attachment",
    }
    if blob.content_encoding:
        headers["Content-Encoding"] = blob.content_encoding
    _check_conditions(request.headers, blob)
    if request.method == "HEAD":
        return Response(status_code=200, headers=headers | {"Content-Length": str(blob.size)})
    start, stop, status = 0, blob.size, 200
    asked = request.headers.get("x-ms-range") or request.headers.get("range")
    found = _RANGE.fullmatch(asked.strip()) if asked else None
    if found is not None and (not found[2] or int(found[1]) <= int(found[2])):
        start = int(found[1])
        stop = min(blob.size, int(found[2]) + 1) if found[2] else blob.size
        status = 206
        if start >= blob.size:
            refused = storage_response(
                StorageRefusal(416, "InvalidRange", f"The blob has {blob.size} bytes; the range begins beyond them.")
            )
            refused.headers["Content-Range"] = f"bytes */{blob.size}"
            return refused
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{blob.size}"
    if stop - start <= _PIECE:
        body = await plane.services.call(plane.storage.read, blob, start, stop)
        return Response(body, status, headers)
    headers["Content-Length"] = str(stop - start)
    return StreamingResponse(_pieces(plane, blob, start, stop), status, headers)


def _check_conditions(headers: Mapping[str, str], blob: AzureBlob) -> None:
    if_match = headers.get("if-match", "").strip()
    if if_match and if_match != "*" and blob.etag not in {each.strip() for each in if_match.split(",")}:
        raise StorageRefusal(412, "ConditionNotMet", "The blob has changed since.")


async def _pieces(plane: AzurePlane, blob: AzureBlob, start: int, stop: int) -> AsyncIterator[bytes]:
    for at in range(start, stop, _PIECE):
        yield await plane.services.call(plane.storage.read, blob, at, min(at + _PIECE, stop))


async def _list(request: Request, plane: AzurePlane, container: str) -> Response:
    await plane.services.call(plane.find_blob, container, RESULT)  # written when first asked for, which this is
    blobs = await plane.services.call(plane.storage.blobs, container)
    prefix = request.query_params.get("prefix", "")
    endpoint = container_url(blob_base(request, plane.services.settings.public_url), container)
    return Response(
        listing(endpoint, container, [each for each in blobs if each.name.startswith(prefix)]), 200, {}, _XML
    )
