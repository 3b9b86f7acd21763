"""Blobs: results, attachments, and the SAS that opens them."""

from __future__ import annotations

import os
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.quantum import Job, Workspace
from azure.quantum.storage import download_blob

from wire_programs import ended, ionq, submit_bell

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def finished(server: object) -> Job:
    workspace = server.default.connect()  # type: ignore[attr-defined]
    return ended(submit_bell(ionq(workspace)))


def without_query(uri: str) -> str:
    return urlunsplit(urlsplit(uri)._replace(query=""))


@pytest.mark.parametrize("size", [0, 1, 5 * MIB, 70 * MIB], ids=["empty", "one byte", "5 MiB", "70 MiB in blocks"])
def test_an_attachment_comes_back_as_it_went(finished: Job, size: int) -> None:
    data = os.urandom(size)
    finished.upload_attachment(f"attachment-{size}", data)
    assert finished.download_attachment(f"attachment-{size}") == data
    listed = {blob.name: blob.size for blob in finished.list_attachments()}
    assert listed[f"attachment-{size}"] == size


def test_the_input_and_the_output_are_in_the_container(finished: Job) -> None:
    listed = {blob.name for blob in finished.list_attachments()}
    assert {"inputData", "rawOutputData"} <= listed


def test_an_attachment_is_not_overwritten(finished: Job) -> None:
    finished.upload_attachment("once", b"first")
    with pytest.raises(ResourceExistsError) as refused:
        finished.upload_attachment("once", b"second")
    assert refused.value.error_code == "BlobAlreadyExists"
    assert finished.download_attachment("once") == b"first"


def test_an_attachment_that_is_not_there(finished: Job) -> None:
    with pytest.raises(ResourceNotFoundError):
        finished.download_attachment("never-uploaded")


def test_results_can_be_had_without_the_signed_address(finished: Job) -> None:
    """The client asks for a new signature when the job's details hold none."""
    bare = without_query(finished.details.output_data_uri)
    assert b"histogram" in finished.download_data(bare)


def test_an_address_without_signature_opens_nothing(finished: Job) -> None:
    answer = requests.get(without_query(finished.details.output_data_uri), timeout=10)
    assert answer.status_code in {401, 403, 404}
    assert b"histogram" not in answer.content


def test_a_signature_is_for_one_blob_and_for_reading(workspace: Workspace, finished: Job) -> None:
    other = ended(submit_bell(ionq(workspace)))
    signed, target = urlsplit(finished.details.output_data_uri), urlsplit(other.details.output_data_uri)
    borrowed = urlunsplit(target._replace(query=signed.query))
    with pytest.raises(HttpResponseError):
        download_blob(borrowed)
    answer = requests.put(
        finished.details.output_data_uri, data=b"forged", headers={"x-ms-blob-type": "BlockBlob"}, timeout=10
    )
    assert answer.status_code in {401, 403}
    forged = finished.details.output_data_uri.replace("sp=r", "sp=rw")
    assert requests.get(forged, timeout=10).status_code in {401, 403}
