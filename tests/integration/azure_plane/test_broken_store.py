"""What callers are told when the server's own store fails: that it does, and nothing of where it is."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from azure_wire import AzureWire
from served import served


def test_a_fault_of_the_store_tells_nothing_of_the_inside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with (
        served(tmp_path / "kept-here", azure=True) as server,
        server.client() as client,
        AzureWire(client) as wire,
        caplog.at_level(logging.WARNING, "antiphon.server"),
    ):
        signed = wire.sas("job-1")
        client.get("/v1/jobs")  # the key is known from now on
        server.ctx.store.close()
        answers = [
            client.get("/v1/jobs"),
            wire.call("GET", "/jobs"),
            wire.blobs.get(signed + "&comp=list&restype=container"),
        ]
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert answers[0].json()["code"] == "store-closed"
        for answer in answers:
            assert "kept-here" not in answer.text
            assert "sqlite" not in answer.text
        assert "kept-here" in caplog.text, "the operator is told"
