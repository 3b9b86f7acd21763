from __future__ import annotations

import pytest

from antiphon.client.remote.keys import idempotency, new_key
from antiphon.server.api.headers import idempotency_key


@pytest.mark.parametrize("key", ["k", 'a "quoted" \\ one', "ключ", "two\nlines", "%", " spaces ", "é"])
def test_the_server_reads_the_key_that_was_meant(key: str) -> None:
    header = idempotency(key)["Idempotency-Key"]
    assert header.isascii()
    assert header.isprintable()
    assert idempotency_key(header) == key


def test_no_two_keys_are_alike() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000
