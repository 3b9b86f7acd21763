from __future__ import annotations

import time

import pytest
import typer

from antiphon.cli.administration import confirm, only_one, seconds_of, time_of
from antiphon.errors import LimitError, NotFoundError

IDS = ["key_01AAA", "key_01AAB", "key_01AA"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 7_776_000.0), ("1.5h", 5_400.0), ("30 min", 1_800.0), ("2w", 1_209_600.0), ("5s", 5.0)],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "d", "-1d", "90mo", "٣d٣"])
def test_what_is_no_span_of_time(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds_of(text)


def test_times_are_utc_or_so_long_ago() -> None:
    assert time_of("2023-11-14T22:13:20") == time_of("2023-11-14T23:13:20+01:00") == 1_700_000_000.0
    assert time_of("1d") == pytest.approx(time.time() - 86_400, abs=60)
    with pytest.raises(typer.BadParameter):
        time_of("yesterday")


def test_an_id_may_be_cut_as_long_as_it_is_one() -> None:
    assert only_one("key", "key_01AAB", IDS) == "key_01AAB"
    assert only_one("key", "key_01AA", IDS) == "key_01AA"
    with pytest.raises(LimitError) as caught:
        only_one("key", "key_01", IDS)
    assert caught.value.code == "id-ambiguous"
    for prefix in ("", "key_02"):
        with pytest.raises(NotFoundError):
            only_one("key", prefix, IDS)


def test_without_a_terminal_only_yes_will_do() -> None:
    confirm("Revoke it?", yes=True)
    with pytest.raises(typer.BadParameter):
        confirm("Revoke it?", yes=False)
