from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from antiphon.errors import LimitError
from antiphon.server.api.headers import LONGEST_WAIT_S, idempotency_key, preferred_wait, trace_of


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw})


@pytest.mark.parametrize(
    ("given_header", "seconds"),
    [
        ("wait=10", 10),
        ("Wait=10", 10),
        ("respond-async, wait=10", 10),
        ("wait=10;foo=1, return=minimal", 10),
        ("wait=0", 0),
        ("wait=999999", LONGEST_WAIT_S),
        ("wait=-1", None),
        ("wait=1.5", None),
        ("wait", None),
        ('wait="10"', None),
        ("wait=10 20", None),
        ("", None),
        ("return=minimal", None),
    ],
)
def test_a_preferred_wait(given_header: str, seconds: float | None) -> None:
    assert preferred_wait(request(prefer=given_header)) == seconds


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n")))
def test_any_preference_is_understood_or_ignored(text: str) -> None:
    found = preferred_wait(request(prefer=text))
    assert found is None or 0 <= found <= LONGEST_WAIT_S


@pytest.mark.parametrize(
    ("header", "key"), [('"a b"', "a b"), ("bare", "bare"), ("550e8400-e29b", "550e8400-e29b"), ('"q\\"q"', 'q"q')]
)
def test_a_key_is_quoted_or_bare(header: str, key: str) -> None:
    assert idempotency_key(header) == key


def test_no_header_is_no_key() -> None:
    assert idempotency_key(None) is None


@given(st.text(st.characters(max_codepoint=255)))
def test_any_other_key_is_refused(text: str) -> None:
    with contextlib.suppress(LimitError):
        assert idempotency_key(text)


def test_a_trace_is_taken_only_when_valid() -> None:
    valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    assert trace_of(request(traceparent=valid)) == valid
    for wrong in ("", "00-0-0-0", valid.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32), valid[:-1]):
        assert trace_of(request(traceparent=wrong)) is None
    assert trace_of(request()) is None


@pytest.mark.parametrize("key", ["azure:1", '"azure:1"', ' "azure:" '])
def test_the_keys_of_the_azure_protocol_are_its_own(key: str) -> None:
    with pytest.raises(LimitError, match="azure:") as caught:
        idempotency_key(key)
    assert caught.value.code == "idempotency-key-invalid"
