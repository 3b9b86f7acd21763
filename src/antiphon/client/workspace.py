"""Workspace: where a user starts. Embedded in this process, or a server's, with the same methods."""

from __future__ import annotations

import difflib
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from antiphon.client.connection import Connection
from antiphon.client.embedded import EmbeddedConnection
from antiphon.client.job import Job
from antiphon.client.session import Session
from antiphon.client.target import Target
from antiphon.domain.jobs import Job as JobFacts
from antiphon.domain.jobs import JobStatus
from antiphon.domain.sessions import Session as SessionFacts
from antiphon.domain.sessions import SessionStatus
from antiphon.errors import AntiphonError, NotFoundError
from antiphon.ports.job_store import JobQuery, SessionQuery

Facts = TypeVar("Facts", JobFacts, SessionFacts)


class Workspace:
    """Jobs, sessions and targets under one roof.

    Args:
        where: A folder (made if missing); None means ANTIPHON_HOME or the user's data folder. A server's URL is not
            supported by this version.
        connection: For tests and other front doors: a connection made elsewhere.
        settings: Passed to the embedded engine: `workers=`, `database=`, `dispatch=` (see `composition.build_engine`).

    Raises:
        StoreError: The folder or database cannot be used: corrupt, newer, not permitted, full.
    """

    def __init__(
        self, where: str | Path | None = None, *, connection: Connection | None = None, **settings: Any
    ) -> None:
        if isinstance(where, str) and where.startswith(("http://", "https://")):
            raise AntiphonError(
                f"This version of Antiphon cannot connect to a server ({where}).",
                code="remote-unsupported",
                next_step="Open a folder instead: Workspace('./lab').",
            )
        self._connection: Connection = connection or EmbeddedConnection(where, **settings)

    @property
    def location(self) -> str:
        """The folder it lives in."""
        return self._connection.location

    def targets(self) -> list[Target]:
        """Every target, with its queue as it is now."""
        return [Target(self._connection, view) for view in self._connection.targets()]

    def target(self, name: str) -> Target:
        """One target by name.

        Raises:
            NotFoundError: There is none of that name; the next step names the closest.
        """
        views = {view.info.name: view for view in self._connection.targets()}
        if name not in views:
            close = difflib.get_close_matches(str(name), views, n=1)
            raise NotFoundError(
                f"There is no target {name!r} in this workspace.",
                next_step=f"Did you mean {close[0]!r}?" if close else f"Choose one of {', '.join(views)}.",
                details={"targets": list(views)},
            )
        return Target(self._connection, views[name])

    def job(self, job_id: str) -> Job:
        """A job by id, whichever process submitted it; an unambiguous beginning of the id is enough.

        Raises:
            NotFoundError: No such job, or several begin like this.
        """
        return Job(self._connection, self._find_job(job_id))

    def jobs(
        self,
        *,
        status: str | JobStatus | None = None,
        target: str | None = None,
        session: str | None = None,
        name: str | None = None,
        limit: int = 100,
        before: Job | None = None,
        oldest_first: bool = False,
    ) -> list[Job]:
        """Jobs, newest first.

        Args:
            status: Any of the six, in any case: "failed", "Succeeded", JobStatus.WAITING.
            before: The last job of the page before, to go on from there.
        """
        query = JobQuery(
            self._connection.workspace,
            status=_status(JobStatus, status),
            target=target,
            session_id=session,
            name=name,
            limit=limit,
            before=(before.created_at, before.id) if before is not None else None,
            oldest_first=oldest_first,
        )
        return [Job(self._connection, job) for job in self._connection.jobs(query)]

    def session(self, session_id: str) -> Session:
        """A session by id (or an unambiguous beginning of it), whichever process opened it.

        Raises:
            NotFoundError: No such session, or several begin like this.
        """
        try:
            return Session(self._connection, self._connection.session(session_id))
        except NotFoundError:
            query = SessionQuery(self._connection.workspace, id_prefix=session_id, limit=2)
            found = self._connection.sessions(query)
            if not found:
                raise
            return Session(self._connection, _only("session", session_id, found))

    def sessions(
        self, *, status: str | SessionStatus | None = None, target: str | None = None, limit: int = 100
    ) -> list[Session]:
        """Sessions, newest first."""
        query = SessionQuery(
            self._connection.workspace, status=_status(SessionStatus, status), target=target, limit=limit
        )
        return [Session(self._connection, session) for session in self._connection.sessions(query)]

    def close(self) -> None:
        """Stop the engine in this process. Jobs it was running go back into the queue; nothing is lost."""
        self._connection.close()

    def _find_job(self, job_id: str) -> JobFacts:
        try:
            return self._connection.job(job_id)
        except NotFoundError:
            query = JobQuery(self._connection.workspace, id_prefix=job_id, limit=2)
            found = self._connection.jobs(query) if job_id else []
            if not found:
                raise
            return _only("job", job_id, found)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Workspace at {self.location}>"


def _only(what: str, prefix: str, found: list[Facts]) -> Facts:
    """The one that was found by the beginning of its id.

    Raises:
        NotFoundError: There are several.
    """
    if len(found) == 1:
        return found[0]
    ids = [each.id for each in found]
    raise NotFoundError(
        f"Several {what}s begin with {prefix!r}.",
        code="id-ambiguous",
        cause=f"{' and '.join(ids)}, for instance",
        next_step="Give more of the id.",
        details={"ids": ids},
    )


def _status(kind: Any, status: Any) -> Any:
    """A status from any spelling: value or member name, in any case.

    Raises:
        NotFoundError: There is no such status; names them all.
    """
    if status is None or isinstance(status, kind):
        return status
    wanted = str(status).lower().replace("_", "").replace("-", "")
    for member in kind:
        if wanted in {member.value.lower(), member.name.lower().replace("_", "")}:
            return member
    raise NotFoundError(
        f"There is no status {status!r}.",
        code="status-unknown",
        next_step=f"Choose one of {', '.join(member.value for member in kind)}.",
    )
