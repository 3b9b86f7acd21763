"""Submissions: the ledger of what was asked of providers. Nothing outside this module assigns a submission's state.

A line is written before anything leaves. From then on it says what is known, and nothing is sent a second time while a
first sending may have arrived: every paid execution has exactly one line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from antiphon.domain.evolve import evolve
from antiphon.domain.transitions import TransitionTable


class SubmissionState(StrEnum):
    """What is known of one submission."""

    INTENDED = "intended"  # written; nothing has left, or the process died before it could say so
    SENT = "sent"  # it is on its way, and no answer has come
    IN_DOUBT = "in doubt"  # the provider may have it or not
    ACCEPTED = "accepted"  # the provider has it and has given it a name
    REFUSED = "refused"  # the provider said no, or it is known never to have arrived
    ENDED = "ended"  # the provider gave its end

    @property
    def is_final(self) -> bool:
        """True when nothing changes it any more."""
        return self in _FINAL

    @property
    def is_out(self) -> bool:
        """True while the provider has it, or may have it."""
        return self in _OUT


_FINAL = frozenset({SubmissionState.REFUSED, SubmissionState.ENDED})
_OUT = frozenset({SubmissionState.SENT, SubmissionState.IN_DOUBT, SubmissionState.ACCEPTED})


class SubmissionTrigger(StrEnum):
    """What can happen to a submission."""

    SENDING = "sending"
    ANSWER_LOST = "answer lost"
    FOUND = "found at the provider"
    NOT_FOUND = "not at the provider"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    ENDED = "ended"


_S, _T = SubmissionState, SubmissionTrigger
SUBMISSION_TRANSITIONS: TransitionTable[SubmissionState, SubmissionTrigger] = TransitionTable(
    "submission",
    SubmissionState.INTENDED,
    {
        (_S.INTENDED, _T.SENDING): _S.SENT,
        (_S.INTENDED, _T.REFUSED): _S.REFUSED,  # cancelled before anything left
        (_S.SENT, _T.ACCEPTED): _S.ACCEPTED,
        (_S.SENT, _T.REFUSED): _S.REFUSED,
        (_S.SENT, _T.ANSWER_LOST): _S.IN_DOUBT,
        (_S.IN_DOUBT, _T.FOUND): _S.ACCEPTED,
        (_S.IN_DOUBT, _T.NOT_FOUND): _S.REFUSED,
        (_S.ACCEPTED, _T.ENDED): _S.ENDED,
    },
    _FINAL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One line of the ledger.

    Attributes:
        position: The program of a batch that it is for; 0 for a whole job.
        parent: The line that this one tries again; None for a first.
        key: What the provider is told, so that it can recognise a repetition and be asked for it.
        fence: The lease under which it was sent.
        provider_id: The provider's own name for it.
        cost: Lines of what the provider says it cost.
    """

    id: str
    job_id: str
    target: str
    key: str
    fence: int
    intended_at: float
    position: int = 0
    parent: str | None = None
    state: SubmissionState = SubmissionState.INTENDED
    version: int = 1
    sent_at: float | None = None
    settled_at: float | None = None
    provider_id: str | None = None
    error: Mapping[str, Any] | None = None
    cost: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionEvent:
    """Something that happened to a submission; `fence` is the lease that sends, and read with SENDING only."""

    trigger: SubmissionTrigger
    at: float
    fence: int | None = None
    provider_id: str | None = None
    error: Mapping[str, Any] | None = None
    cost: tuple[Mapping[str, Any], ...] = ()


def advance_submission(line: Submission, event: SubmissionEvent) -> Submission:
    """The line after `event`; pure.

    Raises:
        TransitionRefusedError: The table does not list the event in the line's state.
    """
    state = SUBMISSION_TRANSITIONS.next(line.state, event.trigger)
    return evolve(
        line,
        state=state,
        version=line.version + 1,
        fence=event.fence if event.trigger is SubmissionTrigger.SENDING and event.fence is not None else line.fence,
        sent_at=event.at if event.trigger is SubmissionTrigger.SENDING else line.sent_at,
        settled_at=event.at if state.is_final else None,
        provider_id=line.provider_id if event.provider_id is None else event.provider_id,
        error=line.error if event.error is None else event.error,
        cost=line.cost + event.cost,
    )


def newest(lines: Sequence[Submission]) -> Submission | None:
    """The line that no other tries again; None where there is none. The lines are those of one job and position."""
    parents = {line.parent for line in lines}
    return next((line for line in lines if line.id not in parents), None)


class Move(StrEnum):
    """What follows for a job from the newest line of its ledger, whoever wrote it."""

    INTEND = "intend"  # nothing is open: a new line, and then it may be sent
    SEND = "send"  # an intent was written and nothing has left
    RECONCILE = "reconcile"  # it may have arrived: ask, and send nothing before that is known
    FOLLOW = "follow"  # the provider has it


_MOVES = {
    SubmissionState.INTENDED: Move.SEND,
    SubmissionState.SENT: Move.RECONCILE,
    SubmissionState.IN_DOUBT: Move.RECONCILE,
    SubmissionState.ACCEPTED: Move.FOLLOW,
    SubmissionState.REFUSED: Move.INTEND,
}


def next_move(newest: Submission | None) -> Move:
    """The only way on for a job that runs and whose newest line is this one.

    Raises:
        ValueError: The line has ended; with it the job had to end, in the same transaction.
    """
    if newest is None:
        return Move.INTEND
    if newest.state is SubmissionState.ENDED:
        raise ValueError(f"The submission {newest.id} has ended, and its job {newest.job_id} has not.")
    return _MOVES[newest.state]
