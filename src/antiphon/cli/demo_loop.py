"""The demo's hybrid loop: a classical optimiser asks, each answer is a job in a session, nothing is asked twice."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from antiphon.domain.jobs import JobStatus
from antiphon.errors import MissingExtraError

if TYPE_CHECKING:
    from antiphon.cli.demo_run import DemoRun
    from antiphon.client.job import Job
    from antiphon.client.session import Session
    from antiphon.client.workspace import Workspace
    from antiphon.domain.observables import Observable

MAX_EVALUATIONS = 150
FIRST_STEP = 0.5
"""How far COBYLA looks at first, in radians."""
LAST_STEP = 1e-4
"""COBYLA stops when it looks no farther than this."""
JOB_SECONDS = 120.0
"""One evaluation takes about a millisecond; one whose process was killed is run again by a worker that must start."""


@dataclass(slots=True)
class Progress:
    """How far a loop has come: what the screen shows.

    Attributes:
        energies: In hartree, one for each evaluation.
        replayed: How many of them were read from the record.
        stages: Seconds spent in each stage, all jobs together.
    """

    energies: list[float] = field(default_factory=list)
    replayed: int = 0
    stages: Counter[str] = field(default_factory=Counter)

    @property
    def best(self) -> float:
        """The lowest energy so far."""
        return min(self.energies)


class Evaluations:
    """The energy of the ansatz at given angles, one job each.

    The key of a job is made of the run, its number and its angles. A run that is started again asks for the same keys:
    what has been answered is read back, whichever session it was in; only what is new becomes a job.
    """

    def __init__(self, workspace: Workspace, run: DemoRun, circuit: Any, observable: Observable) -> None:
        self.progress = Progress()
        self.reopened = False
        self._workspace = workspace
        self._run = run
        self._target = workspace.target(run.target)
        self._circuit = circuit
        self._observable = observable
        self._session: Session | None = None
        self._job_ids: list[str] = []
        before = [
            job for job in workspace.jobs(name=run.name, limit=10_000) if (job.facts.key or "").startswith(run.id)
        ]
        self._recorded = {job.facts.key: job for job in before}
        self._sessions = list(dict.fromkeys(job.session_id for job in before if job.session_id))

    @property
    def num_recorded(self) -> int:
        """Jobs that this run left before this process began."""
        return len(self._recorded)

    @property
    def num_jobs(self) -> int:
        """Jobs of this run in all: what was answered, and what failed and was asked again."""
        return len(self._recorded) + len(self.progress.energies) - self.progress.replayed

    @property
    def best_job_id(self) -> str:
        """The job that found the lowest energy."""
        return self._job_ids[int(np.argmin(self.progress.energies))]

    @property
    def session_id(self) -> str:
        """The session of the newest job."""
        if self._session is not None:
            return self._session.id
        return self._sessions[0] if self._sessions else ""

    def energy(self, angles: NDArray[np.float64]) -> float:
        """The energy in hartree."""
        values = np.ascontiguousarray(angles, dtype="<f8")
        job, is_new = self._job(values)
        energy = float(job.result(JOB_SECONDS).values)
        self.progress.energies.append(energy)
        self._job_ids.append(job.id)
        self.progress.replayed += not is_new
        self.progress.stages.update({name: seconds or 0.0 for name, seconds in job.stages.items()})
        return energy

    def finish(self) -> None:
        """Close the run's sessions, those of killed processes included; they take no more jobs."""
        for session_id in {*self._sessions, self.session_id} - {""}:
            self._workspace.session(session_id).close()

    def _job(self, angles: NDArray[np.float64]) -> tuple[Job, bool]:
        number = len(self.progress.energies)
        base = f"{self._run.id}:{number}:{hashlib.sha256(angles.tobytes()).hexdigest()[:16]}"
        key, attempt = base, 1
        while key in self._recorded:
            job = self._recorded[key]
            if job.status not in {JobStatus.FAILED, JobStatus.CANCELLED}:
                return job, False
            # A failed evaluation stays on the record; asking again is another job.
            attempt += 1
            key = f"{base}:{attempt}"
        self._enter_session()
        job = self._target.estimate(
            self._circuit,
            self._observable,
            angles,
            name=self._run.name,
            seed=self._run.seed,
            key=key,
            metadata={"evaluation": number, "run": self._run.id},
        )
        return job, True

    def _enter_session(self) -> None:
        if self._session is None:
            # Under its key the session of a killed process is found again, as long as it still takes jobs.
            self._session = self._target.open_session(self._run.name, key=self._run.id)
            self.reopened = bool(self._sessions) and self._session.id not in self._sessions


def minimise(evaluations: Evaluations, run: DemoRun, pace: float, tell: Callable[[Progress], None]) -> None:
    """Run COBYLA from the run's start until it is done; `tell` is called after each evaluation.

    Args:
        pace: Seconds from one new evaluation to the next, at least.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    try:
        from scipy.optimize import minimize
    except ImportError as error:
        raise MissingExtraError.of("scipy", "sims", "The demo") from error

    def objective(angles: NDArray[np.float64]) -> float:
        began = time.monotonic()
        replayed = evaluations.progress.replayed
        energy = evaluations.energy(angles)
        tell(evaluations.progress)
        if evaluations.progress.replayed == replayed:
            time.sleep(max(0.0, began + pace - time.monotonic()))
        return energy

    minimize(
        objective,
        np.array(run.start),
        method="COBYLA",
        options={"rhobeg": FIRST_STEP, "tol": LAST_STEP, "maxiter": MAX_EVALUATIONS},
    )
