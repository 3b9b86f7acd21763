from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.domain.submissions import (
    SUBMISSION_TRANSITIONS,
    Move,
    Submission,
    SubmissionEvent,
    SubmissionState,
    SubmissionTrigger,
    advance_submission,
    newest,
    next_move,
)
from antiphon.domain.transitions import TransitionRefusedError

S, T = SubmissionState, SubmissionTrigger


def line(**changes: object) -> Submission:
    facts: dict[str, object] = {
        "id": "sub_1", "job_id": "job_1", "target": "qpu", "key": "job_1-0", "fence": 1, "intended_at": 10.0
    }  # fmt: skip
    return Submission(**(facts | changes))  # type: ignore[arg-type]


def after(*triggers: SubmissionTrigger) -> Submission:
    found = line()
    for at, trigger in enumerate(triggers, 11):
        found = advance_submission(found, SubmissionEvent(trigger=trigger, at=float(at), fence=7, provider_id="p"))
    return found


def test_a_line_knows_when_it_left_and_under_which_lease_and_when_it_was_over() -> None:
    sent = after(T.SENDING)
    assert (sent.state, sent.sent_at, sent.fence, sent.settled_at) == (S.SENT, 11.0, 7, None)
    ended = after(T.SENDING, T.ACCEPTED, T.ENDED)
    assert (ended.state, ended.sent_at, ended.settled_at, ended.version) == (S.ENDED, 11.0, 13.0, 4)


def test_costs_add_up() -> None:
    first = SubmissionEvent(trigger=T.ACCEPTED, at=1.0, cost=({"total": 1},))
    second = SubmissionEvent(trigger=T.ENDED, at=2.0, cost=({"total": 2},))
    found = advance_submission(advance_submission(after(T.SENDING), first), second)
    assert found.cost == ({"total": 1}, {"total": 2})


@given(st.lists(st.sampled_from(list(T)), max_size=12))
def test_whatever_comes_nothing_is_sent_twice_on_one_line_or_after_its_end(triggers: list[SubmissionTrigger]) -> None:
    found, sendings = line(), 0
    for trigger in triggers:
        try:
            found = advance_submission(found, SubmissionEvent(trigger=trigger, at=1.0))
        except TransitionRefusedError:
            continue
        sendings += trigger is T.SENDING
        assert sendings <= 1
    assert found.state.is_final == (found.settled_at is not None)


def test_from_every_open_state_the_end_can_be_reached() -> None:
    for state in S:
        reached = {state}
        for _, (a, _, b) in itertools.product(range(len(S)), SUBMISSION_TRANSITIONS.rows()):
            if a in reached:
                reached.add(b)
        assert any(each.is_final for each in reached)


@pytest.mark.parametrize(
    ("triggers", "move"),
    [
        ((), Move.SEND),
        ((T.SENDING,), Move.RECONCILE),
        ((T.SENDING, T.ANSWER_LOST), Move.RECONCILE),
        ((T.SENDING, T.ACCEPTED), Move.FOLLOW),
        ((T.SENDING, T.ANSWER_LOST, T.FOUND), Move.FOLLOW),
        ((T.SENDING, T.REFUSED), Move.INTEND),
        ((T.SENDING, T.ANSWER_LOST, T.NOT_FOUND), Move.INTEND),
    ],
)
def test_what_follows_from_a_line(triggers: tuple[SubmissionTrigger, ...], move: Move) -> None:
    assert next_move(after(*triggers)) is move


def test_without_a_line_one_is_written() -> None:
    assert next_move(None) is Move.INTEND


def test_a_line_that_has_ended_has_nothing_after_it() -> None:
    with pytest.raises(ValueError, match="has ended"):
        next_move(after(T.SENDING, T.ACCEPTED, T.ENDED))


@given(st.permutations(range(5)))
def test_the_newest_line_is_the_one_that_no_other_tries_again(order: list[int]) -> None:
    chain = [line(id=f"sub_{n}", parent=f"sub_{n - 1}" if n else None) for n in range(5)]
    found = newest([chain[n] for n in order])
    assert found is chain[-1]
    assert newest([]) is None
