"""Workspace: where a user starts. Embedded in this process, or a server's, with the same methods."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from antiphon.client.best import best_view
from antiphon.client.connection import Connection
from antiphon.client.embedded import EmbeddedConnection
from antiphon.client.job import Job
from antiphon.client.moments import Moment, seconds_of
from antiphon.client.remote.address import is_url
from antiphon.client.resources import ERROR_BUDGET, QUBIT_MODEL, on_each, together, with_error_correction
from antiphon.client.session import Session
from antiphon.client.target import Target
from antiphon.domain.jobs import Job as JobFacts
from antiphon.domain.jobs import JobStatus
from antiphon.domain.queues import Reservation
from antiphon.domain.resources import Resources
from antiphon.domain.sessions import Session as SessionFacts
from antiphon.domain.sessions import SessionStatus
from antiphon.engine.best import BEST
from antiphon.errors import AuthenticationError, LimitError, NotFoundError
from antiphon.frontends.recognise import to_program
from antiphon.ports.job_store import JobQuery, SessionQuery

Facts = TypeVar("Facts", JobFacts, SessionFacts)


class Workspace:
    """Jobs, sessions and targets under one roof.

    Args:
        where: A folder (made if missing), or the URL of a server, "http://host:8000"; None means ANTIPHON_HOME or the
            user's data folder.
        api_key: For a server: an API key or a bearer token; None takes that of ANTIPHON_API_KEY.
        connection: For tests and other front doors: a connection made elsewhere.
        settings: Of a folder, passed to the engine: `workers=`, `database=`, `dispatch=` (see
            `composition.build_engine`), and `targets=` for emulated devices that are to live from now on (see
            `antiphon.emu`). Of a server: `ca=`, a file with the certificate authorities to trust.

    Raises:
        StoreError: The folder or database cannot be used: corrupt, newer, not permitted, full.
        ConnectionFailedError: The server cannot be reached, or what answers is none.
        AuthenticationError: The server does not take the key.
    """

    def __init__(
        self,
        where: str | Path | None = None,
        *,
        api_key: str | None = None,
        connection: Connection | None = None,
        **settings: Any,
    ) -> None:
        self._connection: Connection = connection or _connect(where, api_key, settings)

    @property
    def location(self) -> str:
        """The folder it lives in, or the URL of its server."""
        return self._connection.location

    def targets(self) -> list[Target]:
        """Every target, with its queue as it is now."""
        return [Target(self._connection, view) for view in self._connection.targets()]

    def target(self, name: str) -> Target:
        """One target by name; "best" is the device that fits a job best, chosen when the job is submitted.

        With "best" a submit takes the options `prefer` ("fidelity", "wait" or "cost"), `min_fidelity`, `max_wait`
        (seconds, or text such as "10min"), `max_cost`, `candidates` (names), `currency` and `rates`; `job.target` and
        `job.choice` then say what was chosen, and why.

        Raises:
            NotFoundError: There is none of that name; the next step names the closest.
        """
        views = {view.info.name: view for view in self._connection.targets()}
        if name == BEST:
            return Target(self._connection, best_view(views.values()))
        if name not in views:
            close = difflib.get_close_matches(str(name), views, n=1)
            raise NotFoundError(
                f"There is no target {name!r} in this workspace.",
                next_step=f"Did you mean {close[0]!r}?" if close else f"Choose one of {', '.join(views)}.",
                details={"targets": list(views)},
            )
        return Target(self._connection, views[name])

    def estimate_resources(
        self,
        program: object,
        shots: int | None = 1000,
        *,
        targets: Sequence[str] | None = None,
        observable: object = None,
        parameters: Any = None,
        fault_tolerant: bool = True,
        qubit_model: str = QUBIT_MODEL,
        error_budget: float = ERROR_BUDGET,
        **options: Any,
    ) -> Resources:
        """What a program takes on several targets, and with error correction. Nothing is stored; it prints well.

        Args:
            targets: Their names; None asks every device (emulators and QPUs), or sim.auto where there is none. One
                that does not take the program says why in its place.
            program, shots, observable, parameters, fault_tolerant, qubit_model, error_budget, options: As for
                `target.estimate_resources`.

        Raises:
            NotFoundError: There is no target of one of the names.
            ProgramError: It is no program.
            LimitError: `targets` names none, or `shots` is no number of shots.
        """
        if targets is not None and not targets:
            raise LimitError(
                "No target is named.", code="targets-missing", next_step="Leave targets out to ask every device."
            )
        views = {target.name: target for target in self.targets()}
        devices = [name for name, target in views.items() if target.kind != "simulator"]
        names = (devices or ["sim.auto"]) if targets is None else list(targets)
        asked = [views.get(name) or self.target(name) for name in names]
        read = to_program(program)
        pubs = [target.to_quote(read, shots, observable, parameters, dict(options)) for target in asked]
        found = on_each(self._connection, pubs)
        pub = pubs[0].pubs[0]
        return together(pub, found, with_error_correction(pub, qubit_model, error_budget) if fault_tolerant else None)

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

        From a server, the `facts` of a job with several programs leave out what is told of each; `job(id)` has all.

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

    def reservations(self, target: str | None = None) -> list[Reservation]:
        """Windows of targets that are booked for a workspace, open or to come, by their start.

        Of other workspaces' a member sees only the target and the times.
        """
        return self._connection.reservations(target)

    def reserve(
        self,
        target: str,
        starts: Moment,
        ends: Moment,
        *,
        workspace: str | None = None,
        note: str = "",
    ) -> Reservation:
        """Book a window of a target with slots: meanwhile nobody else's jobs start there. For operators of the service.

        Args:
            starts, ends: Seconds since the epoch, a datetime, or ISO 8601; no zone means UTC.
            workspace: For whom; None is this workspace.

        Raises:
            LimitError: There cannot be such a window (code "reservation-invalid").
            ConflictError: The target is booked in that time already (code "reservation-overlap").
            PermissionDeniedError: A server does not take this from the caller.
        """
        begin, end = (seconds_of(at, "reservation-invalid") for at in (starts, ends))
        return self._connection.reserve(target, workspace, begin, end, note)

    def cancel_reservation(self, reservation_id: str) -> Reservation:
        """Give a window back, also while it is open. For operators of the service.

        Raises:
            NotFoundError: No such reservation.
        """
        return self._connection.cancel_reservation(reservation_id)

    def close(self) -> None:
        """Stop the engine in this process, or let go of the server.

        Jobs that an engine here was running go back into the queue; a server goes on with its own. Nothing is lost.
        """
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


def _connect(where: str | Path | None, api_key: str | None, settings: dict[str, Any]) -> Connection:
    if isinstance(where, str) and is_url(where):
        # An HTTP client is not for those who open a folder to load.
        from antiphon.client.remote.connection import RemoteConnection

        return RemoteConnection(where, api_key, **settings)
    if api_key is not None:
        raise AuthenticationError(
            "A folder is opened without a key.",
            code="key-unused",
            next_step='Give the URL of a server with it: Workspace("http://host:8000", api_key=…).',
        )
    return EmbeddedConnection(where, **settings)


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
