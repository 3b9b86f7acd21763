"""The two XML documents of the storage: a container's listing, and the list of blocks of a blob."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate
from xml.etree import ElementTree as ET

from antiphon.ports.azure_store import AzureBlob
from antiphon.server.azure.refusals import StorageRefusal

MOST_BLOCKS = 50_000


def listing(endpoint: str, container: str, blobs: Sequence[AzureBlob]) -> bytes:
    """`EnumerationResults` with every blob; there is never a next page."""
    root = ET.Element("EnumerationResults", {"ServiceEndpoint": endpoint, "ContainerName": container})
    found = ET.SubElement(root, "Blobs")
    for blob in blobs:
        each = ET.SubElement(found, "Blob")
        ET.SubElement(each, "Name").text = blob.name
        properties = ET.SubElement(each, "Properties")
        for name, value in (
            ("Creation-Time", formatdate(blob.created_at, usegmt=True)),
            ("Last-Modified", formatdate(blob.modified_at, usegmt=True)),
            ("Etag", blob.etag),
            ("Content-Length", str(blob.size)),
            ("Content-Type", blob.content_type),
            ("Content-Encoding", blob.content_encoding),
            ("BlobType", "BlockBlob"),
        ):
            ET.SubElement(properties, name).text = value
    ET.SubElement(root, "NextMarker")
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def block_ids(body: bytes) -> list[str]:
    """Ids of a `BlockList`, in order.

    Raises:
        StorageRefusal: It is no such document.
    """
    try:
        text = body.decode("utf-8")
        # Without declarations there are no entities to expand.
        root = ET.fromstring(text if "<!" not in text else "")  # noqa: S314
    except (UnicodeDecodeError, ET.ParseError) as error:
        raise StorageRefusal(400, "InvalidXmlDocument", f"The block list cannot be read: {error}.") from None
    kinds = {"Latest", "Uncommitted"}
    if root.tag != "BlockList" or len(root) > MOST_BLOCKS or any(each.tag not in kinds for each in root):
        raise StorageRefusal(400, "InvalidXmlDocument", "The block list holds something else than uploaded blocks.")
    return [(each.text or "").strip() for each in root]
