from __future__ import annotations

import datetime as dt

import pytest

from antiphon.client.moments import Moment, seconds_of
from antiphon.errors import LimitError


@pytest.mark.parametrize(
    "at",
    [1_772_452_800, "2026-03-02T12:00Z", "2026-03-02T12:00", "2026-03-02T13:00+01:00",
     dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC), dt.datetime(2026, 3, 2, 12)],  # noqa: DTZ001 - without a zone it is UTC
)  # fmt: skip
def test_one_time_said_in_many_ways(at: Moment) -> None:
    assert seconds_of(at) == 1_772_452_800.0


@pytest.mark.parametrize("at", ["yesterday", "", float("nan"), float("inf"), "9" * 400])
def test_what_is_no_time_is_refused(at: Moment) -> None:
    with pytest.raises(LimitError) as refused:
        seconds_of(at, code="my-code")
    assert refused.value.code == "my-code"
