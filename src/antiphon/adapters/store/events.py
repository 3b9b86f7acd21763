"""The part of a transaction that is about logs: append-only, one line for each change of a job or session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, bindparam, func, literal_column, or_, select

from antiphon.adapters.store.statements import Runner, Statement, given, insert_into
from antiphon.adapters.store.tables import events, jobs, sessions
from antiphon.ports.job_store import StoredEvent

_APPEND = insert_into(events)
_OF_SUBJECT = Statement(
    ("subject",),
    lambda _: select(events).where(events.c.subject == given(events, "subject")).order_by(events.c.seq),
)
_LAST_SEQ = Statement((), lambda _: select(func.max(events.c.seq)))
_AFTER = Statement(
    ("seq", "limit"),
    lambda _: (
        select(events)
        .where(events.c.seq > given(events, "seq"))
        .order_by(events.c.seq)
        .limit(bindparam("limit", type_=Integer()))
        .offset(literal_column("0"))
    ),
)
_OF_WORKSPACE = Statement(
    ("after", "until", "workspace", "workspace"),
    lambda _: (
        select(events)
        .where(
            events.c.seq > bindparam("after", type_=events.c.seq.type),
            events.c.seq <= bindparam("until", type_=events.c.seq.type),
            or_(
                *(
                    select(table.c.id)
                    .where(table.c.id == events.c.subject, table.c.workspace == given(jobs, "workspace"))
                    .exists()
                    for table in (jobs, sessions)
                )
            ),
        )
        .order_by(events.c.seq)
    ),
)


class EventTransaction:
    """The log of jobs and sessions."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def _log(self, lines: Sequence[tuple[Any, ...]]) -> None:
        # Each line holds the columns of `events` after `seq`.
        if len(lines) == 1:
            self._runner.change(_APPEND, lines[0])
        else:
            self._runner.change_many(_APPEND, lines)

    def events(self, subject: str) -> list[StoredEvent]:
        """The log of one job or session, oldest first."""
        return [StoredEvent(*row) for row in self._runner.rows(_OF_SUBJECT, (subject,))]

    def last_seq(self) -> int:
        """`seq` of the newest line of all logs; 0 when there is none."""
        return self._runner.row(_LAST_SEQ)[0] or 0

    def events_after(self, seq: int, limit: int) -> list[StoredEvent]:
        """Lines of all logs with a larger `seq`, oldest first."""
        return [StoredEvent(*row) for row in self._runner.rows(_AFTER, (seq, limit))]

    def workspace_events(self, workspace: str, after: int, until: int) -> list[StoredEvent]:
        """The lines of one workspace with `after < seq <= until`, oldest first; all lines in between are looked at."""
        return [StoredEvent(*row) for row in self._runner.rows(_OF_WORKSPACE, (after, until, workspace, workspace))]
