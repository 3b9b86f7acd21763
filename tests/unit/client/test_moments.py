from __future__ import annotations

import datetime as dt

import pytest

from antiphon.client.moments import Moment, Since, seconds_of, when_of
from antiphon.domain.spans import Ago
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


def test_a_number_that_is_no_time_is_quoted_as_a_number() -> None:
    with pytest.raises(LimitError, match=r"^inf is no time"):
        seconds_of(float("inf"))


@pytest.mark.parametrize("since", ["1d", "24h", "23h 60min", dt.timedelta(days=1)])
def test_a_time_may_be_told_by_how_long_ago_it_was(since: Since) -> None:
    assert when_of(since) == Ago(86_400.0)
    assert when_of("2026-03-02T12:00Z") == 1_772_452_800.0


def test_whoever_writes_neither_is_told_both() -> None:
    with pytest.raises(LimitError) as refused:
        when_of("1 fortnight")
    assert "ISO 8601" in refused.value.next_step
    assert "2d" in refused.value.next_step
