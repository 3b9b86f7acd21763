"""Service: the targets and jobs of a workspace for Cirq."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cirq

from antiphon.cirq.circuits import Read, read_circuit, submit_circuits
from antiphon.cirq.job import AntiphonJob
from antiphon.cirq.sampler import AntiphonSampler
from antiphon.client.session import Session
from antiphon.client.target import Target
from antiphon.client.workspace import Workspace
from antiphon.domain.jobs import JobStatus
from antiphon.domain.noise import NoiseModel
from antiphon.errors import ProgramError


class AntiphonTarget:
    """One target of the service.

    Attributes:
        target: The same target as Antiphon's own client shows it: limits, queue, status.
    """

    def __init__(self, target: Target) -> None:
        self.target = target

    @property
    def name(self) -> str:
        """Its name, e.g. "sim.auto"."""
        return self.target.name

    def submit(
        self,
        program: cirq.AbstractCircuit | Sequence[cirq.AbstractCircuit],
        name: str = "",
        repetitions: int = 1000,
        *,
        param_resolver: cirq.Sweepable = None,
        seed: int | None = None,
        noise: NoiseModel | None = None,
        metadata: dict[str, str] | None = None,
        **options: Any,
    ) -> AntiphonJob:
        """Submit one job and return at once.

        Args:
            program: A circuit, or several, each of which is run with every parameter set.
            name: For people.
            param_resolver: Values for the parameters: a resolver, a mapping, or any sweep.
            seed: None draws one, which is recorded.
            metadata: The user's own labels.
            options: `key=`, `max_seconds=`, and the target's own options.

        Raises:
            ProgramError, LimitError: The job is refused; nothing is stored.
            SessionEndedError: The open session takes no more jobs.
        """
        circuits = [program] if isinstance(program, cirq.AbstractCircuit) else list(program)
        reads = [_read(circuit, param_resolver, repetitions) for circuit in circuits]
        if not reads:
            raise ProgramError("The batch holds no program.", next_step="Give at least one circuit.")
        job = submit_circuits(self.target, reads, name=name, seed=seed, noise=noise, metadata=metadata or {}, **options)
        return AntiphonJob(job, [facts for _, facts in reads])

    def open_session(self, name: str = "", **limits: Any) -> Session:
        """Open a session; until it is closed, every job of the service on this target is in it. Use it with `with`.

        Args:
            limits: `failure_policy=`, `idle_limit=`, `total_limit=`, `key=`, as `Target.open_session` of the client.
        """
        return self.target.open_session(name, **limits)

    def __repr__(self) -> str:
        return f"<AntiphonTarget {self.name}>"


class Service:
    """Samplers, targets, and jobs of the past.

    Args:
        workspace: A `Workspace`, the folder of one, or the URL of a server; None is the user's default workspace.
        default_target: Where a call without a target goes.
        settings: For a workspace that is opened here, e.g. `api_key=` for a server.

    Raises:
        NotFoundError: There is no such target; the next step names the closest.
    """

    def __init__(
        self, workspace: Workspace | str | Path | None = None, default_target: str = "sim.auto", **settings: Any
    ) -> None:
        self.workspace = workspace if isinstance(workspace, Workspace) else Workspace(workspace, **settings)
        self._targets: dict[str, AntiphonTarget] = {}
        self._default = self.get_target(default_target)

    def get_target(self, name: str | None = None) -> AntiphonTarget:
        """One target by name; the same object every time, so that a session opened on it is everybody's.

        Raises:
            NotFoundError: There is none of that name; the next step names the closest.
        """
        if name is None:
            return self._default
        if name not in self._targets:
            self._targets[name] = AntiphonTarget(self.workspace.target(name))
        return self._targets[name]

    def targets(self) -> list[AntiphonTarget]:
        """Every target."""
        return [self.get_target(target.name) for target in self.workspace.targets()]

    def sampler(
        self,
        target: str | None = None,
        *,
        seed: int | None = None,
        noise: NoiseModel | None = None,
        **options: Any,
    ) -> AntiphonSampler:
        """A `cirq.Sampler` on a target.

        Args:
            seed: Fixes the samples of its first run, of its second, and so on; None draws seeds, which are recorded.
            options: The target's own options.
        """
        return AntiphonSampler(self.get_target(target).target, seed=seed, noise=noise, **options)

    def create_job(
        self,
        circuit: cirq.AbstractCircuit,
        repetitions: int = 100,
        name: str = "",
        target: str | None = None,
        param_resolver: cirq.Sweepable = None,
        seed: int | None = None,
        noise: NoiseModel | None = None,
        **options: Any,
    ) -> AntiphonJob:
        """Submit one job and return at once; see `AntiphonTarget.submit`."""
        return self.get_target(target).submit(
            circuit, name, repetitions, param_resolver=param_resolver, seed=seed, noise=noise, **options
        )

    def create_batch_job(
        self,
        circuits: Sequence[cirq.AbstractCircuit],
        repetitions: int = 100,
        name: str = "",
        target: str | None = None,
        seed: int | None = None,
        noise: NoiseModel | None = None,
        **options: Any,
    ) -> AntiphonJob:
        """Submit one job of many circuits; `batched_results` has a list for each."""
        return self.get_target(target).submit(circuits, name, repetitions, seed=seed, noise=noise, **options)

    def run(
        self,
        circuit: cirq.AbstractCircuit,
        repetitions: int = 100,
        name: str = "",
        target: str | None = None,
        param_resolver: cirq.ParamResolverOrSimilarType = None,
        seed: int | None = None,
        noise: NoiseModel | None = None,
        **options: Any,
    ) -> cirq.ResultDict:
        """Run one circuit with one set of parameters, and wait for its result.

        Raises:
            As `AntiphonTarget.submit` and `AntiphonJob.results`.
        """
        resolver = cirq.ParamResolver(param_resolver)
        return self.create_job(circuit, repetitions, name, target, resolver, seed, noise, **options).results()[0]

    def get_job(self, job_id: str) -> AntiphonJob:
        """A job of the past, whichever process submitted it.

        Raises:
            NotFoundError: No such job.
        """
        return AntiphonJob(self.workspace.job(job_id))

    def list_jobs(self, status: str | JobStatus | None = None, limit: int = 100) -> list[AntiphonJob]:
        """Jobs, newest first."""
        return [AntiphonJob(job) for job in self.workspace.jobs(status=status, limit=limit)]

    def open_session(self, name: str = "", target: str | None = None, **limits: Any) -> Session:
        """Open a session on a target; until it is closed, every job of the service on that target is in it.

        Args:
            limits: `failure_policy=`, `idle_limit=`, `total_limit=`, `key=`, as `Target.open_session` of the client.
        """
        return self.get_target(target).open_session(name, **limits)

    def __repr__(self) -> str:
        return f"<Service on {self.workspace.location}, default target {self._default.name}>"


def _read(circuit: cirq.AbstractCircuit, params: cirq.Sweepable, repetitions: int) -> Read:
    read = read_circuit(circuit, params, repetitions)
    if read is None:
        raise ProgramError("The sweep has no points.", next_step="Give at least one set of parameters.")
    return read
