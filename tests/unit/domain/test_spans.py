from __future__ import annotations

import pytest

from antiphon.domain.spans import Ago, moment_of, seconds_in


@pytest.mark.parametrize(("text", "seconds"), [
    ("90s", 90.0), ("30min", 1_800.0), ("30m", 1_800.0), ("1h", 3_600.0), ("2d", 172_800.0), ("1.5 h", 5_400.0),
    ("1h 30m", 5_400.0), (" 2 d 3 h ", 183_600.0), ("1w", 604_800.0), ("0s", 0.0), (str(Ago(0.25)), 0.25),
])  # fmt: skip
def test_a_length_of_time_as_people_write_it(text: str, seconds: float) -> None:
    assert seconds_in(text) == seconds


@pytest.mark.parametrize("text", ["", " ", "1", "h", "1 hour", "-1h", "1h!", "1e3s", "9" * 400 + "d", "1h" * 60])
def test_what_is_none_is_told_from_one(text: str) -> None:
    assert seconds_in(text) is None


def test_a_time_may_be_told_by_how_long_ago_it_was() -> None:
    assert moment_of(Ago(60.0), now=1_000.0) == 940.0
    assert moment_of(70.0, now=1_000.0) == 70.0
