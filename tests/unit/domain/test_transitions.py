from __future__ import annotations

from enum import StrEnum

import pytest

from antiphon.domain.batches import ITEM_TRANSITIONS
from antiphon.domain.jobs import JOB_TRANSITIONS, JobStatus
from antiphon.domain.sessions import SESSION_TRANSITIONS
from antiphon.domain.transitions import TransitionRefusedError, TransitionTable


class Light(StrEnum):
    OFF = "Off"
    ON_FIRE = "On fire"


class Hand(StrEnum):
    PRESS = "press"
    WATCH = "watch"


def _table() -> TransitionTable[Light, Hand]:
    return TransitionTable("light", Light.OFF, {(Light.OFF, Hand.PRESS): Light.ON_FIRE}, frozenset({Light.ON_FIRE}))


def test_a_listed_pair_has_one_answer() -> None:
    assert _table().next(Light.OFF, Hand.PRESS) is Light.ON_FIRE
    assert list(_table().rows()) == [(Light.OFF, Hand.PRESS, Light.ON_FIRE)]


def test_every_other_pair_is_refused_by_name() -> None:
    with pytest.raises(TransitionRefusedError) as caught:
        _table().next(Light.ON_FIRE, Hand.PRESS)
    assert caught.value.message == "A light that is On fire cannot take 'press'."
    assert caught.value.details == {"status": "On fire", "trigger": "press"}
    with pytest.raises(TransitionRefusedError):
        _table().next(Light.OFF, Hand.WATCH)


def test_a_table_that_leaves_a_final_status_cannot_be_made() -> None:
    rows = {(Light.ON_FIRE, Hand.PRESS): Light.OFF}
    with pytest.raises(ValueError, match="final"):
        TransitionTable("light", Light.OFF, rows, frozenset({Light.ON_FIRE}))


def test_the_diagram_shows_every_row() -> None:
    assert _table().mermaid() == (
        "stateDiagram-v2\n"
        "    [*] --> Off\n"
        '    state "Off" as Off\n'
        '    state "On fire" as OnFire\n'
        "    Off --> OnFire: press\n"
        "    OnFire --> [*]\n"
    )


@pytest.mark.parametrize("table", [JOB_TRANSITIONS, SESSION_TRANSITIONS, ITEM_TRANSITIONS], ids=lambda t: t.subject)
def test_every_status_can_be_reached_and_every_life_can_end(table: TransitionTable[StrEnum, StrEnum]) -> None:
    rows = list(table.rows())
    reached = {table.start}
    for _ in rows:
        reached |= {after for status, _, after in rows if status in reached}
    ending = set(table.final)
    for _ in rows:
        ending |= {status for status, _, after in rows if after in ending}
    # An item is never asked to cancel: its job is.
    expected = set(type(table.start)) - ({JobStatus.CANCELLATION_REQUESTED} if table is ITEM_TRANSITIONS else set())
    assert reached == expected
    assert ending == expected


def test_a_final_job_takes_no_trigger_at_all() -> None:
    assert not [row for row in JOB_TRANSITIONS.rows() if row[0].is_final]
