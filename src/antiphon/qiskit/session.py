"""Session and Batch: IBM's way to group jobs, over the sessions of a workspace."""

from __future__ import annotations

import datetime as dt
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self

from qiskit.providers import BackendV2

from antiphon.client.session import Session as ClientSession
from antiphon.client.target import Target
from antiphon.domain.sessions import SessionStatus
from antiphon.domain.spans import seconds_in
from antiphon.engine.job_record import iso
from antiphon.errors import LimitError, ProgramError, SessionEndedError
from antiphon.qiskit.stored_jobs import as_submitted
from antiphon.qiskit.surroundings import Service, WorkspaceBackend

_entered: ContextVar[tuple[Session, ...]] = ContextVar("antiphon_qiskit_sessions", default=())

_STATES = {SessionStatus.WAITING: "open", SessionStatus.EXECUTING: "active", SessionStatus.FAILURES: "active"}


class Session:
    """Jobs on one backend that belong together; a context manager that closes it at the end of the block.

    Inside `with`, every primitive made without a mode and every `run` of the backend is in the session. An exception
    that leaves the block closes the session too: its queued jobs finish, and it takes no more. As in IBM's runtime, a
    job that fails does not end the session, unless `failure_policy` is "abort".

    Args:
        backend: An `AntiphonBackend`.
        max_time: Seconds from the first job, or text like "2h 30m"; None takes the engine's default.
        create_new: False opens nothing; `from_id` takes up a session that exists.
        name: For people.
        failure_policy: "continue" or "abort".

    Raises:
        ProgramError: The backend is another SDK's.
        LimitError: `max_time` is not a positive time.
    """

    mode = "dedicated"

    def __init__(
        self,
        backend: BackendV2,
        max_time: int | str | None = None,
        *,
        create_new: bool = True,
        name: str = "",
        failure_policy: str = "continue",
    ) -> None:
        self._backend = _own(backend)
        # A target of its own: nothing gets into the session except through it.
        self._target: Target = self._backend.workspace.target(self._backend.name)
        self._session: ClientSession | None = None
        if create_new:
            opened = self._target.open_session(name, failure_policy=failure_policy, total_limit=_seconds(max_time))
            # A second handle closes it, so that the target stays in it, and the engine refuses what comes after.
            self._session = self._backend.workspace.session(opened.id)

    @classmethod
    def from_id(cls, session_id: str, service: Service) -> Self:
        """Take up a session that was opened before, by this or any other process.

        Args:
            service: The `AntiphonProvider` of the workspace it belongs to.

        Raises:
            NotFoundError: There is no such session.
        """
        found = service.workspace.session(session_id)
        taken = cls(service.backend(found.target), create_new=False)
        taken._session = found
        taken._target.enter_session(found)
        return taken

    @property
    def session_id(self) -> str | None:
        """Its identifier; None only when nothing was opened (`create_new=False`)."""
        return None if self._session is None else self._session.id

    @property
    def client_target(self) -> Target:
        """The target whose submits are in this session.

        Raises:
            SessionEndedError: Nothing was opened (`create_new=False`).
        """
        self._opened()
        return self._target

    def backend(self) -> str:
        """Name of its backend, as in IBM's runtime."""
        return str(self._backend.name)

    @property
    def on_backend(self) -> BackendV2:
        """Its `AntiphonBackend`."""
        return self._backend

    def status(self) -> str | None:
        """In IBM's words: Pending; In progress, accepting new jobs; In progress, not accepting new jobs; or Closed."""
        if self._session is None:
            return None
        state = self._state()
        if state == "active":
            return f"In progress, {'' if self._session.accepting_jobs else 'not '}accepting new jobs"
        return "Pending" if state == "open" else "Closed"

    def details(self) -> dict[str, Any] | None:
        """The session under IBM's names; times as ISO 8601 in UTC, lengths in seconds."""
        if self._session is None:
            return None
        facts = self._session.facts
        jobs = [job.facts for job in self._session.jobs()]
        ends = [job.ended_at for job in jobs if job.ended_at is not None]
        starts = [job.started_at for job in jobs if job.started_at is not None]
        return {
            "id": facts.id,
            "backend_name": facts.target,
            "interactive_timeout": facts.idle_limit_s,
            "max_time": facts.total_limit_s,
            "active_timeout": facts.total_limit_s,
            "state": self._state(),
            "accepting_jobs": facts.accepting_jobs,
            "last_job_started": iso(max(starts, default=None)),
            "last_job_completed": iso(max(ends, default=None)),
            "started_at": iso(facts.first_job_at),
            "closed_at": iso(facts.ended_at),
            "activated_at": iso(min(starts, default=None)),
            "mode": self.mode,
            "usage_time": self.usage(),
            "timestamps": [{"event": event["event"], "timestamp": event["at"]} for event in self._session.events],
        }

    def usage(self) -> float | None:
        """Seconds from its first job to its end, or until now while it is open; 0 before the first job."""
        if self._session is None:
            return None
        facts = self._session.facts
        if facts.first_job_at is None:
            return 0.0
        end = facts.ended_at if facts.ended_at is not None else dt.datetime.now(dt.UTC).timestamp()
        return max(0.0, end - facts.first_job_at)

    def jobs(self) -> list[Any]:
        """Its jobs, oldest first, each as the `run` that made it returned it."""
        return [as_submitted(self._backend, job) for job in self._opened().jobs()]

    def close(self) -> None:
        """No new jobs; those queued or running finish. Closing twice is not an error."""
        self._leave()
        if self._session is not None:
            self._session.close()

    def cancel(self) -> None:
        """No new jobs, and the queued ones are cancelled."""
        self._leave()
        if self._session is not None:
            self._session.cancel()

    def enter(self) -> None:
        """Make it the session that `run` calls of its backend are in, until it is closed."""
        if self not in self._backend.entered:
            self._backend.entered.append(self)

    def _leave(self) -> None:
        if self in self._backend.entered:
            self._backend.entered.remove(self)
        _entered.set(tuple(session for session in _entered.get() if session is not self))

    def _state(self) -> str:
        return _STATES.get(self._opened().status, "closed")

    def _opened(self) -> ClientSession:
        if self._session is None:
            raise SessionEndedError(
                "This session was never opened.",
                cause="it was made with create_new=False",
                next_step="Use Session(backend), or Session.from_id(id) for one that exists.",
            )
        return self._session

    def __enter__(self) -> Self:
        self._opened()
        self.enter()
        _entered.set((*_entered.get(), self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.session_id} on {self._backend.name}: {self.status()}>"


class Batch(Session):
    """A session for jobs that do not wait for one another. Its usage is the sum of their execution times."""

    mode = "batch"

    def usage(self) -> float | None:
        """Seconds that its jobs executed, in all."""
        if self._session is None:
            return None
        return sum((job.stages["execute"] or 0.0 for job in self._session.jobs()), 0.0)


def innermost_session(backend: WorkspaceBackend | None = None) -> Session | None:
    """The session of the innermost open `with`, of `backend` where one is given; None when there is none."""
    for session in reversed(_entered.get()):
        if backend is None or session.on_backend is backend:
            return session
    if backend is not None and backend.entered:
        # Qiskit's generic primitives call `run` from a thread of their own, which inherits no context.
        innermost: Session = backend.entered[-1]
        return innermost
    return None


def _own(backend: Any) -> WorkspaceBackend:
    if isinstance(backend, WorkspaceBackend):
        return backend
    raise ProgramError(
        f"{backend!r} is not a backend of Antiphon.",
        code="backend-foreign",
        next_step='Use one of a workspace: AntiphonProvider().backend("sim.auto").',
    )


def _seconds(max_time: int | str | None) -> float | None:
    """A time in seconds from a number or from text like "2h 30m"."""
    if max_time is None or not isinstance(max_time, str):
        return max_time
    found = seconds_in(max_time)
    if found is None:
        raise LimitError(
            f"max_time={max_time!r} is not a length of time.",
            code="session-limit-invalid",
            next_step='Give seconds as a number, or text like "2h 30m".',
        )
    return found
