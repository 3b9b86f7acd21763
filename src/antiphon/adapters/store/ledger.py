"""The part of a transaction that is about the ledger of submissions to providers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, literal_column, select, update

from antiphon.adapters.store.events import EventTransaction
from antiphon.adapters.store.queue_tables import submissions
from antiphon.adapters.store.rows import decode, encode, encode_optional
from antiphon.adapters.store.statements import Statement, given, insert_into
from antiphon.adapters.store.tables import jobs
from antiphon.domain.jobs import JobStatus
from antiphon.domain.submissions import Submission, SubmissionState
from antiphon.ports.job_store import VersionConflictError

_c = submissions.c
_CHANGES = ("fence", "state", "version", "sent_at", "settled_at", "provider_id", "error", "cost")

_ADD = insert_into(submissions)
_SAVE = Statement(
    (*_CHANGES, "saved_id", "saved_version"),
    lambda _: (
        update(submissions)
        .where(
            _c.id == bindparam("saved_id", type_=_c.id.type),
            _c.version == bindparam("saved_version", type_=_c.version.type),
        )
        .values({name: given(submissions, name) for name in _CHANGES})
    ),
)
_OF_JOB = Statement(
    ("job_id",),
    lambda _: (
        select(submissions)
        .where(_c.job_id == given(submissions, "job_id"))
        .order_by(_c.position, _c.intended_at, _c.id)
    ),
)
_OPEN = select(submissions).where(_c.settled_at.is_(None))
_ALL_OPEN = Statement((), lambda _: _OPEN.order_by(_c.intended_at, _c.id))
_OPEN_ON = Statement(
    ("target",), lambda _: _OPEN.where(_c.target == given(submissions, "target")).order_by(_c.intended_at, _c.id)
)
_job = jobs.c
# Asked of each line, so that no database begins with all that waits.
_STATUS_OF_JOB = select(_job.status).where(_job.id == _c.job_id).scalar_subquery()
_LEFT = Statement(
    ("target",),
    lambda _: (
        select(_c.job_id)
        .where(
            _c.settled_at.is_(None),
            _c.target == given(submissions, "target"),
            _c.state != literal_column(f"'{SubmissionState.INTENDED.value}'"),
            literal_column(f"'{JobStatus.WAITING.value}'") == _STATUS_OF_JOB,
        )
        .order_by(_c.intended_at, _c.id)
    ),
)


class LedgerTransaction(EventTransaction):
    """The ledger: see `antiphon.ports.ledger_store` for what each method promises."""

    def add_submission(self, line: Submission) -> None:
        """Insert a line."""
        self._runner.change(
            _ADD,
            (
                line.id,
                line.job_id,
                line.position,
                line.parent,
                line.target,
                line.key,
                line.fence,
                line.state.value,
                line.version,
                line.intended_at,
                line.sent_at,
                *_end_of(line),
            ),
        )

    def save_submission(self, before: Submission, after: Submission) -> None:
        """Store `after` if the stored version is `before.version`.

        Raises:
            VersionConflictError: It is another one.
        """
        changes = (after.fence, after.state.value, after.version, after.sent_at, *_end_of(after))
        if not self._runner.change(_SAVE, (*changes, before.id, before.version)):
            raise VersionConflictError(
                f"Line {before.id} of the ledger was changed by somebody else meanwhile.",
                cause=f"it is no longer at version {before.version}",
                next_step="Read it again and decide again.",
                details={"id": before.id, "version": before.version},
            )

    def submissions(self, job_id: str) -> list[Submission]:
        """The lines of a job, by position and age."""
        return [_submission_of(row) for row in self._runner.rows(_OF_JOB, (job_id,))]

    def open_submissions(self, target: str | None = None) -> list[Submission]:
        """Lines that are not final, oldest first; of one target or of all."""
        rows = self._runner.rows(_ALL_OPEN) if target is None else self._runner.rows(_OPEN_ON, (target,))
        return [_submission_of(row) for row in rows]

    def left_at_provider(self, target: str) -> list[str]:
        """Waiting jobs that the target's provider has, or may have: their engine left them. The oldest first."""
        return [row[0] for row in self._runner.rows(_LEFT, (target,))]


def _end_of(line: Submission) -> tuple[Any, ...]:
    cost = encode(line.cost) if line.cost else None
    return line.settled_at, line.provider_id, encode_optional(line.error), cost


def _submission_of(row: tuple[Any, ...]) -> Submission:
    return Submission(
        id=row[0],
        job_id=row[1],
        position=row[2],
        parent=row[3],
        target=row[4],
        key=row[5],
        fence=row[6],
        state=SubmissionState(row[7]),
        version=row[8],
        intended_at=row[9],
        sent_at=row[10],
        settled_at=row[11],
        provider_id=row[12],
        error=None if row[13] is None else decode(row[13]),
        cost=() if row[14] is None else tuple(decode(row[14])),
    )
