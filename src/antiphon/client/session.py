"""Session: jobs grouped on one target, with classical code between them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from antiphon.client.connection import Connection
from antiphon.client.job import Job
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import Access
from antiphon.domain.sessions import FailurePolicy, SessionStatus
from antiphon.domain.sessions import Session as SessionFacts
from antiphon.domain.work import JobKind
from antiphon.errors import AntiphonError
from antiphon.ports.job_store import JobQuery

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Session:
    """One session; a context manager that closes it at the end of the block.

    Closing lets the queued jobs finish and takes no new ones. When the block ends with an exception, Ctrl-C included,
    the session is closed just the same; its jobs go on.
    """

    def __init__(
        self, connection: Connection, session: SessionFacts, left: Callable[[Session], None] | None = None
    ) -> None:
        self._connection = connection
        self._session = session
        self._left = left

    @property
    def id(self) -> str:
        """Its identifier, "ses_…"; every job in it carries it."""
        return self._session.id

    @property
    def name(self) -> str:
        """The user's name for it."""
        return self._session.name

    @property
    def target(self) -> str:
        """Name of its single target."""
        return self._session.target

    @property
    def failure_policy(self) -> FailurePolicy:
        """What a failing job does to it."""
        return self._session.failure_policy

    @property
    def facts(self) -> SessionFacts:
        """The stored session as it stands, as plain data."""
        if not self._session.status.is_final or self._session.pending:
            self._session = self._connection.session(self.id)
        return self._session

    @property
    def status(self) -> SessionStatus:
        """Where it stands now."""
        return self.facts.status

    @property
    def accepting_jobs(self) -> bool:
        """Whether a submit would be accepted now."""
        return self.facts.accepting_jobs

    @property
    def end_reason(self) -> str:
        """Why it takes no more jobs; empty while it does."""
        return self.facts.end_reason

    @property
    def access(self) -> Access:
        """What it gets of its target, by the target's policy now."""
        return next(view.access for view in self._connection.targets() if view.info.name == self.target)

    @property
    def holding_since(self) -> float | None:
        """Since when it holds its target, seconds since the epoch; None while it does not."""
        return self.facts.holding_since

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its log, oldest first."""
        return self._connection.events(self.id)

    def jobs(self, limit: int = 10_000, *, newest: bool = False) -> list[Job]:
        """Its jobs, oldest first; with `newest` the newest first."""
        query = JobQuery(self._connection.workspace, session_id=self.id, limit=limit, oldest_first=not newest)
        return [Job(self._connection, job) for job in self._connection.jobs(query)]

    def close(self) -> Session:
        """No new jobs; what is queued or running finishes. Closing twice, or from two processes, is not an error."""
        self._leave()
        self._session = self._connection.close_session(self.id)
        return self

    def cancel(self) -> Session:
        """No new jobs, and the queued ones are cancelled; what runs may finish."""
        self._leave()
        self._session = self._connection.cancel_session(self.id)
        return self

    def estimates(self) -> tuple[list[float], list[float]]:
        """The value and standard error of each finished estimate, oldest first; arrays count in C order.

        Raises:
            AntiphonError: No job of the session has estimated anything.
        """
        values: list[float] = []
        errors: list[float] = []
        for job in self.jobs():
            if job.kind is JobKind.ESTIMATE and job.status is JobStatus.SUCCEEDED:
                result = job.result()
                values += np.ravel(result.values).tolist()
                errors += np.ravel(result.stderr).tolist()
        if not values:
            raise AntiphonError(
                f"Session {self.id} has no finished estimate, so there is no convergence to plot.",
                code="nothing-to-plot",
                next_step="Run target.estimate(…) in the session first.",
            )
        return values, errors

    def plot_convergence(
        self, ax: Axes | None = None, *, reference: float | None = None, label: str = "expectation value"
    ) -> Axes:
        """The value of each estimate in the order of the jobs, the best so far, and a reference line; extra `plots`."""
        from antiphon.client.plots import convergence

        values, errors = self.estimates()
        return convergence(values, errors, reference=reference, label=label, title=self.name, ax=ax)

    def plot_timeline(self, ax: Axes | None = None, *, last: int = 50) -> Axes:
        """When each of the last jobs was compiled, queued, executed and reconciled; extra `plots`."""
        from antiphon.client.plots import timeline

        return timeline([job.facts for job in self.jobs()[-last:]], title=self.name, ax=ax)

    def _leave(self) -> None:
        if self._left is not None:
            self._left(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Session {self.id} {self.name!r} on {self.target}: {self._session.status.value}>"

    def _repr_html_(self) -> str:
        from antiphon.client.html import LAST_JOBS, session_html

        latest = [job.facts for job in self.jobs(limit=LAST_JOBS, newest=True)]
        return session_html(self.facts, latest)
