"""What is written is read back as it was, by way of JSON text."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from antiphon.client.wire.explanations import explanation_from_json, explanation_to_json
from antiphon.client.wire.queues import (
    advice_from_json,
    class_word,
    prices_from_json,
    prices_to_json,
    queue_from_json,
    queue_to_json,
    reservation_from_json,
    reservation_to_json,
)
from antiphon.domain.gate_counts import Tasks
from antiphon.domain.policies.advice import Loop, advise
from antiphon.domain.policies.estimates import Coverage, Held, Quantiles, Source
from antiphon.domain.policies.explain import AheadGroup, Explanation, Standing
from antiphon.domain.policies.metering import WorkFacts
from antiphon.domain.policies.prices import PriceList
from antiphon.domain.queues import Access, Priority, QueuePolicy, Rank, Reservation
from antiphon.engine.queues.overview import ClassWaiting, Hold, QueueOverview
from antiphon.engine.queues.status import ShareOf
from antiphon.ports.queue_store import StoredPriceList

BOOKED = Reservation(
    id="res_1", target="q", workspace="a", starts_at=10.0, ends_at=20.5, created_by="op", created_at=1.0, note="n"
)
FULL = QueueOverview(
    policy=QueuePolicy(
        target="q", slots=2, access=Access.EXCLUSIVE, gap_s=1.5, version=3, updated_at=5.0, updated_by="op"
    ),
    running=2,
    waiting=tuple(ClassWaiting(rank, int(rank), 1.5 * rank) for rank in Rank),
    hold=Hold("ses_1", "a", 3.0, None),
    reservation=BOOKED,
    next_reservation=replace(BOOKED, id="", workspace="", created_by="", note=""),
    waits={priority: Quantiles(1.0, 2.0, 3.0, Source.HISTORY, 30) for priority in Priority},
    coverage=Coverage(target="q", priority=None, wait=Held(412, 200, 325, 400)),
    shares=(ShareOf("a", "", 10.0, 2.0, 0.5), ShareOf("a", "ada", 10.0, 1.0, 1.0)),
)


def sent(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


@pytest.mark.parametrize("view", [FULL, replace(FULL, hold=None, reservation=None, next_reservation=None, shares=())])
def test_a_queue(view: QueueOverview) -> None:
    assert queue_from_json(sent(queue_to_json(view))) == view


def test_a_queue_in_words() -> None:
    assert str(FULL) == (
        "q: 2 of 2 running, 6 waiting (1 sessions, 2 High, 3 Standard)\n"
        "  held by the session ses_1\n"
        "  wait of a Standard job: 1 s (50 %), 2 s (80 %), 3 s (95 %)\n"
        "  wait of a High job: 1 s (50 %), 2 s (80 %), 3 s (95 %)\n"
        "  waits: the 80 % bound held for 79 % of 412 jobs"
    )
    assert "a session of another workspace" in str(replace(FULL, hold=Hold(None, None, 3.0, 4.0)))


def test_classes_have_words_of_their_own() -> None:
    assert [class_word(rank) for rank in Rank] == ["session-high", "session", "high", "standard"]


@pytest.mark.parametrize("booked", [BOOKED, FULL.next_reservation])
def test_a_reservation(booked: Reservation) -> None:
    assert reservation_from_json(sent(reservation_to_json(booked))) == booked


def test_a_price_list_but_not_who_set_it() -> None:
    stored = StoredPriceList(target="q", version=2, body={"currency": "EUR"}, created_at=5.0, created_by="op")
    assert prices_from_json(sent(prices_to_json("q", stored))) == replace(stored, created_by="")
    assert prices_from_json(sent(prices_to_json("q", None))) is None


@pytest.mark.parametrize("prices", [None, PriceList(currency="EUR", per_task=1.0, per_shot=0.5)])
def test_an_advice(prices: PriceList | None) -> None:
    facts = WorkFacts(tasks=(Tasks(1, 100, 10, 5, 2),), seconds=2.0)
    advice = advise(prices, Loop(facts=facts, jobs=5, classical_s=1.0, wait_s=3.0, session_wait_s=2.0))
    assert advice_from_json(sent(advice.to_json())) == advice
    assert str(advice).count("\n") == 3


@pytest.mark.parametrize(
    "found",
    [
        Explanation(job_id="job_1", status="Succeeded", rule="it was never started"),
        Explanation(
            job_id="job_1",
            status="Waiting",
            rule="age",
            position=3,
            at_least=True,
            ahead=(AheadGroup("jobs of sessions", "sessions go first", 3, 1.5, at_least=True),),
            held="a session of another workspace",
            standing=Standing(2.0, 10.0, None),
            reservation="booked for another workspace for 5 s more",
            changes=("Open a session.",),
            starts_bound=16,
        ),
    ],
)
def test_an_explanation(found: Explanation) -> None:
    document = sent(explanation_to_json(found))
    assert document["words"] == str(found)
    assert explanation_from_json(document) == found
