from __future__ import annotations

import contextlib
import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.ports.azure_store import AzureQuery
from antiphon.server.azure.filters import LONGEST_FILTER, apply_filter, apply_order
from antiphon.server.azure.refusals import AzureRefusal

ALL = AzureQuery("w")


def filtered(text: str) -> AzureQuery:
    found = apply_filter(ALL, text)
    assert found is not None
    return found


def at(text: str) -> float:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


def test_no_filter_narrows_nothing() -> None:
    assert apply_filter(ALL, "  ") == ALL


@pytest.mark.parametrize("prefix", ["a", "", "it's", "a' and b", "ünï", "a)"])
def test_a_prefix_is_free_text(prefix: str) -> None:
    assert filtered(f"startswith(Name, '{prefix}') and (State eq 'Failed')").name_prefix == prefix
    assert filtered(f"startswith(Name, '{prefix}')").statuses == ()


def test_dates_are_whole_days_and_times_are_moments() -> None:
    found = filtered("CreationTime ge 2026-01-30 and CreationTime le 2026-01-31")
    assert (found.created_from, found.created_before) == (at("2026-01-30"), at("2026-02-01"))
    found = filtered("CreationTime gt 2026-01-30 and CreationTime lt 2026-01-31")
    assert (found.created_from, found.created_before) == (at("2026-01-31"), at("2026-01-31"))
    found = filtered("CreationTime ge 2026-01-30T12:00:00Z")
    assert found.created_from == at("2026-01-30T12:00:00")
    twice = filtered("CreationTime ge 2026-01-01 and CreationTime ge 2025-01-01")
    assert twice.created_from == at("2026-01-01")


@pytest.mark.parametrize(
    ("spelling", "meant"),
    [
        ("Failed", "Failed"),
        ("failed", "Failed"),
        ("JobStatus.FAILED", "Failed"),
        ("FAILED", "Failed"),
        ("SessionStatus.TIMED_OUT", "TimedOut"),
        ("SessionStatus.FAILURE_S_", "Failure(s)"),
        ("Failure(s)", "Failure(s)"),
        ("JobStatus.CANCELLATION_REQUESTED", "CancellationRequested"),
    ],
)
def test_members_of_enumerations_are_understood(spelling: str, meant: str) -> None:
    assert filtered(f"(State eq '{spelling}')").statuses == (meant,)
    assert filtered(f"State eq '{spelling}'").statuses == (meant,)


def test_the_same_field_twice_must_hold_twice() -> None:
    assert filtered("(State eq 'Failed' or State eq 'Waiting') and (State eq 'Waiting')").statuses == ("Waiting",)
    assert apply_filter(ALL, "(State eq 'Failed') and (State eq 'Waiting')") is None
    assert apply_filter(ALL, "startswith(Name, 'a') and startswith(Name, 'b')") is None
    assert filtered("startswith(Name, 'a') and startswith(Name, 'ab')").name_prefix == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "(State eq 'Failed' or Target eq 'x')",
        "(State eq 'Failed'",
        "State eq 'Failed' and ",
        "and State eq 'Failed'",
        "State eq 'Failed' or State eq 'Waiting'",
        "State ne 'Failed'",
        "Secret eq 'x'",
        "startswith(Target, 'x')",
        "CreationTime ge 20",
        "Name ge 2026-01-01",
        "(" * 4_000,
        "x" * (LONGEST_FILTER + 1),
    ],
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(AzureRefusal) as caught:
        apply_filter(ALL, text)
    assert (caught.value.status, caught.value.code) == (400, "InvalidFilter")


@pytest.mark.parametrize(
    "unit", ["(Target eq 'a' or ", "startswith(Name, '", "' and ", "Target eq 'a' and ", "\t ", "('", "a eq 'b' or "]
)
def test_no_filter_takes_long_to_refuse(unit: str) -> None:
    text = "(Target eq 'a' or " + unit * (LONGEST_FILTER // len(unit) - 4) + "!"
    began = time.process_time()
    with pytest.raises(AzureRefusal):
        apply_filter(ALL, text)
    # A backtracking match of this length would take hours; the bound only tells the two apart.
    assert time.process_time() - began < 20


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (apply_filter, apply_order):
        with contextlib.suppress(AzureRefusal):
            read(ALL, text)
