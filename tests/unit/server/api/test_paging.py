from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import LimitError
from antiphon.server.api.paging import decode_cursor, encode_cursor


@given(st.floats(allow_nan=False, allow_infinity=False), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True))
def test_a_cursor_keeps_its_place_to_the_bit(at: float, last: str) -> None:
    assert decode_cursor(encode_cursor((at, last))) == (at, last)


def test_no_cursor_is_the_beginning() -> None:
    assert decode_cursor(None) is None


@pytest.mark.parametrize(
    "content",
    [
        '[1, "a"]',
        '["a", 1.0]',
        "[1.5]",
        '[NaN, "a"]',
        '[Infinity, "a"]',
        "{}",
        '[1.5, "a\\u0000"]',
        '[1.5, "\\ud800"]',
        "[" * 2000,
    ],
)
def test_a_cursor_of_somebody_else_is_refused(content: str) -> None:
    with pytest.raises(LimitError) as raised:
        decode_cursor(base64.urlsafe_b64encode(content.encode()).decode())
    assert raised.value.code == "cursor-invalid"


@given(st.text())
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    with contextlib.suppress(LimitError):
        assert json.dumps(decode_cursor(text), allow_nan=False)
