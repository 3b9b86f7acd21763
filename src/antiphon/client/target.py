"""Target: something a job can run on, and the calls that make jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from antiphon.client.connection import Connection, TargetView
from antiphon.client.job import Job
from antiphon.client.requesting import shots_of
from antiphon.client.session import Session
from antiphon.client.target_device import TargetDevice
from antiphon.client.target_queue import TargetQueue
from antiphon.domain.badges import Badge
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import JobKind
from antiphon.engine.best import BEST
from antiphon.engine.requests import OpenSessionRequest, PubRequest
from antiphon.errors import LimitError, ProgramError
from antiphon.frontends.observables import to_observables
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program
from antiphon.ports.job_store import JobQuery

if TYPE_CHECKING:
    from antiphon.client.kit.report import CheckResult, KitReport


class Target(TargetQueue, TargetDevice):
    """One target of a workspace. While a session is open on this object, every submit goes into it."""

    def __init__(self, connection: Connection, view: TargetView) -> None:
        super().__init__(connection, view)
        self._sessions: list[Session] = []

    # --- what it is

    @property
    def provider(self) -> str:
        """Who offers it."""
        return self._view.info.provider

    @property
    def kind(self) -> str:
        """What it is: "simulator", "emulator" or "qpu"."""
        return self._view.info.kind

    @property
    def num_qubits(self) -> int:
        """The widest program it takes."""
        return self._view.info.limits.max_qubits

    @property
    def profile(self) -> str:
        """The largest profile it runs: Base, Adaptive_RI, Adaptive_RIF, Adaptive or Unrestricted."""
        return self._view.info.profile.value

    @property
    def status(self) -> str:
        """Available, Degraded or Unavailable."""
        return self._view.info.status

    @property
    def queue_depth(self) -> int:
        """Jobs waiting for it when this object was made; `refresh` looks again."""
        return self._view.queue_depth

    @property
    def expected_wait(self) -> float | None:
        """Seconds a job submitted now would wait, estimated; None when nothing is known yet."""
        return self._view.expected_wait

    @property
    def badge(self) -> Badge | None:
        """How it did when the contract kit was last run against it; None: it never was. See `verify`."""
        return self._view.badge

    @property
    def info(self) -> TargetInfo:
        """All it declares about itself."""
        return self._view.info

    def refresh(self) -> Target:
        """Look again at its queue."""
        if self.name == BEST:
            return self
        self._view = next(view for view in self._connection.targets() if view.info.name == self.name)
        return self

    # --- jobs

    def submit(
        self,
        program: object,
        shots: int = 1000,
        *,
        name: str = "",
        seed: int | None = None,
        parameters: Any = None,
        **options: Any,
    ) -> Job:
        """Sample one program with one set of parameters.

        Args:
            program: A Qiskit or Cirq circuit, Q# (`qsharp.compile`), OpenQASM 2 or 3 text, QIR text or bitcode, or a
                path to a file of one of these.
            shots: Repetitions.
            name: For people; default is the program's own name.
            seed: 0 … 2^63-1; None draws one, which is recorded.
            parameters: Values for the program's free parameters: a mapping of names, or an array in its own order.
            options: `priority=` ("Standard", "High"), `noise=NoiseModel(…)`, `mitigation=Mitigation(…)`, `key=`
                (idempotency: the same key returns the first job), `execution=` ("auto", "inline", "process"),
                `max_seconds=`, `metadata={…}`, `bank=` (True adds to shots of the same work), of a device
                `max_calibration_age=` (seconds, or text such as "12h"), and the target's own options, which
                `info.options` tells. With the target "best" also `prefer=` ("fidelity", "wait", "cost"),
                `min_fidelity=`, `max_wait=` (seconds, or text), `max_cost=`, `candidates=[…]`, `currency=` and
                `rates={…}`.

        Returns:
            The job; it is stored, and will end in exactly one final state, when this returns.

        Raises:
            ProgramError, LimitError: The program is refused, and nothing is stored; says what to change.
            SessionEndedError: The open session takes no more jobs.
        """
        began = time.perf_counter()
        read = self.read(program)
        pub = PubRequest(read, bind(read, parameters), shots)
        if pub.parameters.shape != ():
            raise ProgramError(
                f"{pub.parameters.num_sets} parameter sets were given to submit.",
                next_step="Use target.sweep(program, parameters=…) for many sets.",
            )
        return self._submit(JobKind.SAMPLE, (pub,), began, name, seed, options)

    def estimate(
        self,
        program: object,
        observable: object,
        parameters: Any = None,
        *,
        shots: int | None = None,
        precision: float | None = None,
        max_shots: int | None = None,
        name: str = "",
        seed: int | None = None,
        **options: Any,
    ) -> Job:
        """Expectation values of observables in the state a program prepares.

        Args:
            program: As for `submit`; measurements at its end are ignored.
            observable: A Qiskit `SparsePauliOp`, Cirq `PauliSum`, a dict of Pauli strings (rightmost letter is qubit
                0), or an (nested) list of them.
            parameters: One set or an array of sets; broadcast with the observables by NumPy's rules.
            shots: None gives exact values where the target can; a number gives sampled ones with a standard error.
            precision: Instead of shots: the standard error wanted of every value. Shots are taken where they count
                until it is reached; `result().shots` says how many.
            max_shots: With a precision, the most to take; default is what is enough for any state.
            name, seed, options: As for `submit`.
        """
        began = time.perf_counter()
        read = self.read(program)
        observables, shape = to_observables(observable, read)
        most = shots_of(shots, precision, max_shots, observables, self.info, options)
        pub = PubRequest(read, bind(read, parameters), most, observables, shape)
        return self._submit(JobKind.ESTIMATE, (pub,), began, name, seed, options)

    def submit_batch(
        self,
        programs: Iterable[object],
        shots: int = 1000,
        *,
        name: str = "",
        seed: int | None = None,
        parameters: Sequence[Any] | None = None,
        **options: Any,
    ) -> Job:
        """Sample many programs in one job; the next starts the moment the one before it ends.

        All are checked before any is stored: an invalid program refuses the whole batch, by index. A program that fails
        while it runs fails its item alone; `job.result(partial=True)` has the rest.

        Args:
            parameters: One set for each program.
            shots, name, seed, options: As for `submit`.
        """
        began = time.perf_counter()
        if not isinstance(programs, Iterable) or (not isinstance(programs, list | tuple) and _is_program(programs)):
            raise ProgramError(
                f"A {type(programs).__name__} is not a list of programs.",
                next_step="Give a list: target.submit_batch([first, second]); a single one: target.submit(program).",
            )
        programs = list(programs)
        values = [None] * len(programs) if parameters is None else list(parameters)
        if len(values) != len(programs):
            raise ProgramError(
                f"{len(values)} parameter sets were given for {len(programs)} programs.",
                next_step="Give one set for each program, in order.",
            )
        pubs = []
        for index, (program, value) in enumerate(zip(programs, values, strict=True)):
            try:
                read = self.read(program)
                pubs.append(PubRequest(read, bind(read, value), shots))
            except ProgramError as error:
                error.message = f"Program {index} of the batch ({len(programs)} programs): {error.message}"
                error.details = {**error.details, "item": index}
                raise
        return self._submit(JobKind.BATCH, tuple(pubs), began, name or "batch", seed, options)

    def sweep(
        self,
        program: object,
        parameters: Any,
        shots: int = 1000,
        *,
        name: str = "",
        seed: int | None = None,
        **options: Any,
    ) -> Job:
        """Sample one program with many parameter sets: compiled once, in as few simulator calls as possible.

        Args:
            parameters: A list of mappings, a mapping of names to arrays, or an array whose last axis is the program's
                own order of parameters.
            program, shots, name, seed, options: As for `submit`.
        """
        began = time.perf_counter()
        read = self.read(program)
        return self._submit(
            JobKind.SWEEP, (PubRequest(read, bind(read, parameters), shots),), began, name, seed, options
        )

    def submit_pubs(
        self, kind: JobKind, pubs: Sequence[PubRequest], *, name: str = "", seed: int | None = None, **options: Any
    ) -> Job:
        """Submit pubs that are already read and bound, as one job; for façades of other SDKs."""
        return self._submit(kind, tuple(pubs), time.perf_counter(), name, seed, options)

    # --- whether it keeps its word

    def verify(
        self,
        *,
        only: Sequence[str] | None = None,
        patience: float = 120.0,
        watch: Callable[[CheckResult], None] | None = None,
    ) -> KitReport:
        """Put it through the contract kit: bit order, angles, cancel, double submit, and so on. Prints well.

        A whole run leaves a badge on the target, for all who look at it; on a server that is for operators to do, and
        the report says so if it was not stored. What the checks find is in the report, and raises nothing.

        Args:
            only: Names of checks; the others are left out, and there is no badge.
            patience: Seconds that each job of the kit may wait and run at most.
            watch: Told of each check when it has ended.

        Raises:
            LimitError: There is no check of one of the names (code "check-unknown").
        """
        from antiphon.client.kit.runner import run_kit

        connection = self._connection
        query = JobQuery(connection.workspace, target=self.name, limit=10)
        report = run_kit(
            self,
            take_up=lambda job_id: Job(connection, connection.job(job_id)),
            find=lambda name: [Job(connection, job) for job in connection.jobs(replace(query, name=name))],
            give_badge=connection.give_badge,
            only=only,
            patience_s=patience,
            watch=watch,
        )
        self.refresh()
        return report

    # --- sessions

    def open_session(
        self,
        name: str = "",
        *,
        failure_policy: str = "abort",
        idle_limit: float | None = None,
        total_limit: float | None = None,
        max_jobs: int | None = None,
        max_seconds: float | None = None,
        max_cost: float | None = None,
        key: str | None = None,
    ) -> Session:
        """Open a session on this target; until it is closed, every submit on this object is in it.

        Args:
            failure_policy: "abort" (a failing job ends the session) or "continue".
            idle_limit: Seconds without a job after which it times out; default 600.
            total_limit: Seconds from its first job; default 28,800.
            max_jobs: It takes no more than so many jobs.
            max_seconds, max_cost: It ends once its jobs have used so many seconds of the target, or cost so much: what
                runs may finish, what is queued is cancelled.
            key: Opening again under the same key, from any process, returns the live session.
        """
        request = OpenSessionRequest(
            workspace=self._connection.workspace,
            who=self._connection.who,
            target=self.name,
            name=name,
            failure_policy=failure_policy,
            idle_limit_s=idle_limit,
            total_limit_s=total_limit,
            max_jobs=max_jobs,
            max_seconds=max_seconds,
            max_cost=max_cost,
            key=key,
        )
        session = Session(self._connection, self._connection.open_session(request), self._left)
        self._sessions.append(session)
        return session

    @property
    def session(self) -> Session | None:
        """The session that submits on this object go into now, if any."""
        return self._sessions[-1] if self._sessions else None

    def enter_session(self, session: Session) -> Session:
        """Take up a session that was opened elsewhere: submits on this object go into it until it is closed."""
        joined = Session(self._connection, session.facts, self._left)
        self._sessions.append(joined)
        return joined

    def _left(self, session: Session) -> None:
        self._sessions = [open_one for open_one in self._sessions if open_one is not session]

    def _session_id(self) -> str | None:
        return None if self.session is None else self.session.id

    def _submit(
        self,
        kind: JobKind,
        pubs: tuple[PubRequest, ...],
        began: float,
        name: str,
        seed: int | None,
        options: dict[str, Any],
    ) -> Job:
        request = self._request(kind, pubs, began, name, seed, options)
        finished = self._connection.submit(request)
        return Job(self._connection, finished.job, finished.outcomes)

    def __repr__(self) -> str:
        return f"<Target {self.name}: {self.kind}, {self.num_qubits} qubits, {self.profile}, {self.status}>"

    def _repr_html_(self) -> str:
        from antiphon.client.html import target_html

        return target_html(self.info, self.queue_depth)


def _is_program(obj: object) -> bool:
    try:
        to_program(obj)
    except (ProgramError, LimitError):
        return False
    return True
