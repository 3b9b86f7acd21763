"""AntiphonProvider: the targets and jobs of a workspace for Qiskit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from qiskit.providers.exceptions import QiskitBackendNotFoundError

from antiphon.client.job import Job
from antiphon.client.workspace import Workspace
from antiphon.domain.jobs import JobStatus
from antiphon.qiskit.backend import AntiphonBackend
from antiphon.qiskit.job import AntiphonJob
from antiphon.qiskit.primitive_job import AntiphonPrimitiveJob
from antiphon.qiskit.stored_jobs import as_submitted

_PENDING = frozenset({JobStatus.WAITING, JobStatus.EXECUTING, JobStatus.CANCELLATION_REQUESTED})


class AntiphonProvider:
    """Backends, and jobs of the past.

    Args:
        workspace: A `Workspace`, the folder of one, or the URL of a server; None is the user's default workspace.
        settings: For a workspace that is opened here, e.g. `api_key=` for a server.
    """

    def __init__(self, workspace: Workspace | str | Path | None = None, **settings: Any) -> None:
        self.workspace = workspace if isinstance(workspace, Workspace) else Workspace(workspace, **settings)
        self._backends: dict[str, AntiphonBackend] = {}

    def backend(self, name: str = "sim.auto") -> AntiphonBackend:
        """One backend by name; the same object every time, so that a session opened on it is everybody's.

        Raises:
            NotFoundError: There is none of that name; the next step names the closest.
        """
        if name not in self._backends:
            self._backends[name] = AntiphonBackend(self, self.workspace.target(name))
        return self._backends[name]

    def get_backend(self, name: str = "sim.auto") -> AntiphonBackend:
        """The older name of `backend`."""
        return self.backend(name)

    def backends(
        self,
        name: str | None = None,
        min_num_qubits: int | None = None,
        filters: Callable[[AntiphonBackend], bool] | None = None,
        **attributes: Any,
    ) -> list[AntiphonBackend]:
        """Backends that match.

        Args:
            min_num_qubits: Of at least that many qubits.
            filters: A function that says yes or no.
            attributes: What attributes of the backend must equal, e.g. `simulator=True`. `dynamic_circuits` asks for
                control flow. An attribute that a backend lacks is taken for None.
        """
        dynamic = attributes.pop("dynamic_circuits", None)
        found = [self.backend(target.name) for target in self.workspace.targets() if name in {None, target.name}]
        return [
            backend
            for backend in found
            if (min_num_qubits is None or backend.num_qubits >= min_num_qubits)
            and (dynamic is None or dynamic == ("if_else" in backend.operation_names))
            and all(getattr(backend, key, None) == value for key, value in attributes.items())
            and (filters is None or filters(backend))
        ]

    def least_busy(
        self,
        min_num_qubits: int | None = None,
        filters: Callable[[AntiphonBackend], bool] | None = None,
        **attributes: Any,
    ) -> AntiphonBackend:
        """Of the backends that match and take jobs, the one with the shortest queue; among equals the first declared.

        Raises:
            QiskitBackendNotFoundError: None matches.
        """
        matching = self.backends(min_num_qubits=min_num_qubits, filters=filters, **attributes)
        matching = [backend for backend in matching if backend.operational]
        if not matching:
            there = ", ".join(
                f"{target.name} ({target.kind}, {target.num_qubits} qubits)" for target in self.workspace.targets()
            )
            raise QiskitBackendNotFoundError(f"No backend matches. There are {there}; relax the filters.")
        depth = {target.name: target.queue_depth for target in self.workspace.targets()}
        return min(matching, key=lambda backend: depth[backend.name])

    def job(self, job_id: str) -> AntiphonJob | AntiphonPrimitiveJob:
        """A job of the past, whichever process submitted it.

        Raises:
            NotFoundError: No such job.
        """
        return self.wrap(self.workspace.job(job_id))

    def jobs(
        self,
        limit: int | None = 10,
        skip: int = 0,
        backend_name: str | None = None,
        pending: bool | None = None,
        session_id: str | None = None,
        job_tags: list[str] | None = None,
        descending: bool = True,
    ) -> list[AntiphonJob | AntiphonPrimitiveJob]:
        """Jobs, newest first.

        Args:
            limit: At most so many; None for all.
            skip: Leave out the first so many.
            pending: True for those that are not final, False for those that are.
            job_tags: Only jobs that have all of these.
            descending: False for oldest first.
        """
        wanted = set(job_tags or ())
        found: list[AntiphonJob | AntiphonPrimitiveJob] = []
        for job in self._each(backend_name, session_id, oldest_first=not descending):
            if pending is not None and pending != (job.facts.status in _PENDING):
                continue
            wrapped = self.wrap(job)
            if not wanted <= set(wrapped.tags):
                continue
            if skip:
                skip -= 1
                continue
            found.append(wrapped)
            if limit is not None and len(found) >= limit:
                break
        return found

    def wrap(self, job: Job) -> AntiphonJob | AntiphonPrimitiveJob:
        """A job of the workspace in the form that the call which made it returns."""
        return as_submitted(self.backend(job.target), job)

    def _each(self, target: str | None, session: str | None, *, oldest_first: bool) -> Any:
        page, last = 200, None
        while True:
            jobs = self.workspace.jobs(
                target=target, session=session, limit=page, before=last, oldest_first=oldest_first
            )
            yield from jobs
            if len(jobs) < page:
                return
            last = jobs[-1]
