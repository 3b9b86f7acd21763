"""A target's queue and prices, and what to expect of a job before it is submitted."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from antiphon.client.checking import check_of, stand_ins, with_verdict
from antiphon.client.connection import Connection, TargetView
from antiphon.client.requesting import made_request
from antiphon.client.resources import ERROR_BUDGET, QUBIT_MODEL, together, with_error_correction
from antiphon.domain.needs import ProgramCheck
from antiphon.domain.policies.advice import Advice
from antiphon.domain.policies.estimates import Estimate
from antiphon.domain.programs import Program
from antiphon.domain.resources import Resources
from antiphon.domain.work import JobKind
from antiphon.engine.queues.overview import QueueOverview
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.errors import ProgramError
from antiphon.frontends.observables import to_observables
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program
from antiphon.ports.queue_store import StoredPriceList


class TargetQueue:
    """The part of a `Target` that is about waiting and paying."""

    def __init__(self, connection: Connection, view: TargetView) -> None:
        self._connection = connection
        self._view = view

    @property
    def name(self) -> str:
        """Its name, e.g. "sim.auto"."""
        return self._view.info.name

    @property
    def slots(self) -> int | None:
        """How many jobs run on it at a time; None: as many as there are workers."""
        return self._view.slots

    @property
    def access(self) -> str:
        """What a session gets: "shared" (its jobs go first), "exclusive" or "dedicated" (it is held for one)."""
        return self._view.access.value

    # --- the queue

    def queue(self) -> QueueOverview:
        """Where its queue stands now: what waits by class, what holds it, what a next job would wait. Prints well.

        Of other workspaces it tells classes and times, no names.
        """
        return self._connection.queue(self.name)

    def set_queue(self, **changes: Any) -> QueueOverview:
        """Decide how its queue is run, from its next start on; for operators of the service.

        Args:
            changes: Any of `slots` (None: as many jobs as there are workers), `access` ("shared", "exclusive",
                "dedicated"), `gap_s`, `window_s`, `patience_s`, `aged_every`, `quantum_s`; see `QueuePolicy`.

        Raises:
            LimitError: A value is out of its range (code "queue-policy-invalid").
            PermissionDeniedError: A server does not take this from the caller.
        """
        found = self._connection.set_queue(self.name, changes)
        self._view = next(view for view in self._connection.targets() if view.info.name == self.name)
        return found

    # --- what it costs, and how long it takes

    def prices(self) -> StoredPriceList | None:
        """Its price list, as JSON values in `body`; None when it has none, and its jobs cost nothing."""
        return self._connection.prices(self.name)

    def set_prices(self, prices: Mapping[str, Any]) -> StoredPriceList:
        """Give it a price list, which counts for jobs submitted from now on; for operators of the service.

        Raises:
            LimitError: The list is wrong (code "price-list-invalid"); its details name the field.
            PermissionDeniedError: A server does not take this from the caller.
        """
        return self._connection.set_prices(self.name, prices)

    def read(self, program: object) -> Program:
        """The program as this target takes it: Qiskit's delays in dt are in the device's own unit of time.

        Raises:
            ProgramError: It is no program.
        """
        device = self._view.info.device
        return to_program(program, dt_s=None if device is None else device.dt_s)

    def quote(
        self,
        program: object,
        shots: int | None = 1000,
        *,
        observable: object = None,
        parameters: Any = None,
        **options: Any,
    ) -> Estimate:
        """What to expect of a job if it were submitted now: wait, run time and cost, each as 50, 80 and 95 % bounds.

        Nothing is stored. It prints well; `quote.wait.p80` is a number.

        Args:
            program: As for `submit`; a list of programs is quoted as a batch.
            shots: With observables None means exact values.
            observable: As for `estimate`; then it is an estimate that is quoted.
            parameters: As for `submit`, `sweep`, or (a list with a set for each) `submit_batch`.
            options: As for `submit`.
        """
        return self._connection.quote(self.to_quote(program, shots, observable, parameters, options))

    def estimate_resources(
        self,
        program: object,
        shots: int | None = 1000,
        *,
        observable: object = None,
        parameters: Any = None,
        fault_tolerant: bool = True,
        qubit_model: str = QUBIT_MODEL,
        error_budget: float = ERROR_BUDGET,
        **options: Any,
    ) -> Resources:
        """What the program takes here and, with error correction, on a machine to come. Nothing is stored.

        Width, depth and gates are those after compilation on a device, and those submitted on a simulator. The result
        prints well; `resources.to_json()` has everything.

        Args:
            program, shots, observable, parameters, options: As for `quote`; one program.
            fault_tolerant: Also ask the estimator of the package qdk, which runs in this process. What it cannot count
                it says in `resources.fault_tolerant`.
            qubit_model: The physical qubits assumed then: qubit_gate_ns_e3, qubit_gate_ns_e4, qubit_gate_us_e3,
                qubit_gate_us_e4, qubit_maj_ns_e4 or qubit_maj_ns_e6.
            error_budget: The largest probability that a run with error correction may fail with.

        Raises:
            ProgramError, LimitError: The target does not take the program.
        """
        request = self.to_quote(program, shots, observable, parameters, options)
        here = self._connection.resources(request)
        corrected = with_error_correction(request.pubs[0], qubit_model, error_budget) if fault_tolerant else None
        return together(request.pubs[0], (here,), corrected)

    def check(
        self,
        program: object,
        shots: int = 1000,
        *,
        parameters: Any = None,
        onto: ProgramCheck | None = None,
        **options: Any,
    ) -> ProgramCheck:
        """What the program needs, and whether this target takes it. Nothing is stored.

        `check.profile` is the smallest profile that runs it, `check.needs` the first instruction for each profile with
        its place in the source and the way out, and `check.verdicts[0]` what this target says: the problem that a
        submit would raise, or on a device what its calibration says, with the time lost to classical decisions.

        Args:
            program, shots, options: As for `submit`.
            parameters: As for `submit`; without them values are made up.
            onto: A check of the same program by another target, to which this verdict is added.

        Raises:
            ProgramError: It is no program.
        """
        read = self.read(program)
        found = check_of(read) if onto is None else onto
        values = stand_ins(read) if parameters is None else parameters
        request = self.to_quote(read, shots, None, values, options)
        return with_verdict(found, self._connection, self._view.info, request)

    def advise(
        self,
        program: object,
        shots: int | None = 1000,
        *,
        jobs: int,
        classical: float = 0.0,
        observable: object = None,
        parameters: Any = None,
        **options: Any,
    ) -> Advice:
        """Whether a loop is cheaper as single jobs, as one batch or as a session, and why. Prints well.

        Args:
            program, shots, observable, parameters, options: One of the jobs, as for `quote`.
            jobs: How many there are.
            classical: Seconds of your own work between each two.
        """
        request = self.to_quote(program, shots, observable, parameters, options)
        return self._connection.advise(request, jobs, classical)

    def to_quote(
        self, program: object, shots: int | None, observable: object, parameters: Any, options: dict[str, Any]
    ) -> SubmitRequest:
        """The request that `quote` asks about; a list of programs is a batch."""
        began = time.perf_counter()
        if isinstance(program, list | tuple):
            values = [None] * len(program) if parameters is None else list(parameters)
            if len(values) != len(program):
                raise ProgramError(
                    f"{len(values)} parameter sets were given for {len(program)} programs.",
                    next_step="Give one set for each program, in order.",
                )
            reads = [self.read(each) for each in program]
            pubs = tuple(PubRequest(read, bind(read, value), shots) for read, value in zip(reads, values, strict=True))
            return self._request(JobKind.BATCH, pubs, began, "", None, options)
        read = self.read(program)
        bound = bind(read, parameters)
        if observable is not None:
            observables, shape = to_observables(observable, read)
            pub = PubRequest(read, bound, shots, observables, shape)
            return self._request(JobKind.ESTIMATE, (pub,), began, "", None, options)
        kind = JobKind.SAMPLE if bound.shape == () else JobKind.SWEEP
        return self._request(kind, (PubRequest(read, bound, shots),), began, "", None, options)

    def _session_id(self) -> str | None:
        """The session that its jobs go into now."""
        return None

    def _request(
        self,
        kind: JobKind,
        pubs: tuple[PubRequest, ...],
        began: float,
        name: str,
        seed: int | None,
        options: dict[str, Any],
    ) -> SubmitRequest:
        return made_request(self._connection, self.name, self._session_id(), kind, pubs, began, name, seed, options)
