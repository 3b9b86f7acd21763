from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from antiphon.server.azure.addresses import api_base, blob_base, blob_url, container_and_blob
from antiphon.server.azure.connect import TUNNEL_STATE


def request(host: str, scheme: str = "http", **state: str) -> Request:
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "scheme": scheme, "path": "/", "query_string": b"", "root_path": "",
        "headers": [(b"host", host.encode())], "server": ("127.0.0.1", 8000), "state": state,
    }  # fmt: skip
    return Request(scope)


def test_links_lead_to_the_host_that_was_asked() -> None:
    asked = request("lab.example:8000")
    assert api_base(asked, None) == blob_base(asked, None) == "http://lab.example:8000"


def test_a_public_url_goes_before_the_host() -> None:
    asked = request("internal:8000")
    assert api_base(asked, "https://lab.example/") == blob_base(asked, "https://lab.example/") == "https://lab.example"


def test_in_the_tunnel_the_api_is_azures_and_the_storage_is_ours() -> None:
    asked = request("eastus.quantum.azure.com", "https", **{TUNNEL_STATE: "http://127.0.0.1:8000"})
    for public in (None, "https://lab.example"):
        assert api_base(asked, public) == "https://eastus.quantum.azure.com"
        assert blob_base(asked, public) == "http://127.0.0.1:8000"


@pytest.mark.parametrize("blob", ["inputData", "a b", "dir/file", "100%", "ü?#"])
def test_a_blob_is_found_again_in_its_url(blob: str) -> None:
    url = blob_url("http://127.0.0.1:8000", "job-1", blob)
    assert container_and_blob(url + "?sig=x") == ("job-1", blob)


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("", ("", "")),
        ("http://x", ("", "")),
        ("http://x/job-1", ("job-1", "")),
        ("http://x/job-1/job-1", ("job-1", "")),
        ("http://x/job-1/inputData", ("job-1", "inputData")),
    ],
)
def test_container_and_blob_of_other_urls(url: str, found: tuple[str, str]) -> None:
    assert container_and_blob(url) == found
