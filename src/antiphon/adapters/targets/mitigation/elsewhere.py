"""Mitigation of jobs that run at a provider: all circuits are sent as one batch, and combined when they are fetched.

What is varied must run as it was sent: a compiler that takes a gate and its inverse away, or that measures other qubits
in each circuit, would make the correction wrong in silence. A driver says in `as_sent` with which options that is so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Protocol, runtime_checkable

from antiphon.adapters.targets.mitigation.asking import Asked, read_asked
from antiphon.adapters.targets.mitigation.driver import MitigatingDevice, MitigatingDriver, outcome_of, provenance_of
from antiphon.adapters.targets.mitigation.estimate_run import EstimateRun
from antiphon.adapters.targets.mitigation.ground import Ground, Operations, simulated, uses
from antiphon.adapters.targets.mitigation.programs import derived_seed, program_of
from antiphon.adapters.targets.mitigation.sample_run import SampleRun
from antiphon.adapters.targets.mitigation.tallies import Request
from antiphon.domain.circuits import Gate, Unitary
from antiphon.domain.evolve import evolve
from antiphon.domain.mitigation import refusal
from antiphon.domain.noise import Noise
from antiphon.domain.results import Execution, Sampled
from antiphon.domain.work import Compiled, JobKind, Plan, Pub, Work
from antiphon.errors import LimitError
from antiphon.ports.device_driver import DeviceDriver
from antiphon.ports.provider import Provider, ProviderJob, RefusedByProviderError
from antiphon.ports.target_driver import TargetDriver


@runtime_checkable
class SentDriver(TargetDriver, Protocol):
    """The driver of a target that is elsewhere and takes options of its own."""

    @property
    def as_sent(self) -> Mapping[str, Any] | None:
        """Options with which circuits run there as they were sent, on the qubits of their numbers; None: never."""
        ...


class SentMitigatingDriver(MitigatingDriver):
    """Plans mitigated jobs of a target that is elsewhere."""

    inner: SentDriver

    def plan(self, work: Work) -> Plan:
        """As the target plans the circuits that are to be sent.

        Raises:
            ProgramError, UnsupportedProgramError, LimitError: As the target's own; for a method that cannot be done
                there (code "mitigation-invalid"); for shots that would be shared on the way (code "shots-invalid").
        """
        asked = read_asked(work.options)
        if asked is None or not asked.changes_anything:
            return super().plan(work)
        self._check_sendable(asked)
        plan = super().plan(work)
        sent = self.inner.plan(self.batch(work, self.requests(self.runs(work, plan))))
        return evolve(plan, cost=sent.cost, num_calls=sent.num_calls, details={**plan.details, **sent.details})

    def runs(self, work: Work, plan: Plan) -> list[EstimateRun | SampleRun]:
        """The pubs of a mitigated work, of which nothing ran yet; the same work makes the same circuits."""
        asked = read_asked(work.options)
        assert asked is not None
        return [self._run(pub, None, asked, plan) for pub in work.pubs]

    def requests(self, runs: Sequence[EstimateRun | SampleRun]) -> list[Request]:
        """The circuits of all pubs, in the order in which they are sent."""
        return [request for run in runs for request in run.requests()]

    def batch(self, work: Work, requests: Sequence[Request]) -> Work:
        """What is sent."""
        asked = read_asked(work.options)
        assert asked is not None
        pubs = []
        for request in requests:
            cell = request.tally.cell
            pubs.append(Pub(cell.program, cell.parameters, request.shots, derived_seed(cell.seed, "round", 0)))
        return Work(JobKind.BATCH, tuple(pubs), {**asked.left, **(self.inner.as_sent or {})})

    def _check_sendable(self, asked: Asked) -> None:
        name = self.inner.info.name
        if asked.allocation is not None:
            raise LimitError(
                f"Shots for {name} cannot be shared on the way.",
                code="shots-invalid",
                cause="each round would wait in the queue there before the next is known",
                next_step="Give shots, which are shared by the observable's coefficients.",
            )
        method = next(iter(asked.told))
        options = self.inner.as_sent
        if options is None:
            raise refusal(
                method,
                f"{name} has its circuits compiled by its vendor, who may take away what is put in for mitigation, or "
                "choose other qubits for each circuit",
                "Run it without, or on an emulated device, such as emu.heron.",
            )
        for option, needed in options.items():
            if asked.left.get(option, needed) != needed:
                raise refusal(
                    method,
                    f"{option} is {asked.left[option]!r}, with which circuits do not run as they were sent",
                    f"Leave {option} out: it is then {needed!r}.",
                )

    def _ground(self, pub: Pub, made: Compiled | None, asked: Asked, plan: Plan) -> Ground:  # noqa: ARG002 - the base's
        name = self.inner.info.name
        if asked.methods.decoupling is not None:
            raise refusal(
                "dynamical_decoupling",
                f"how long qubits wait on {name} is known to its vendor's compiler alone",
                "Leave it out, or use it on an emulated device, such as emu.heron.",
            )
        ground = simulated(pub.program)
        kept = self._kept(pub, ground.operations)
        if asked.methods.readout is not None:
            self._check_places(ground.operations, kept)
        # They stand for nothing, and make all circuits have the same qubits, idle ones and those of a calibration too.
        stay = tuple(Gate("id", (qubit,)) for qubit in kept)
        return replace(ground, finish=lambda operations: (*stay, *operations))

    def _run(self, pub: Pub, made: Compiled | None, asked: Asked, plan: Plan) -> EstimateRun | SampleRun:
        if pub.observables is None:
            circuit = pub.program.circuit
            assert circuit is not None
            stays = self._ground(pub, made, asked, plan).finish(circuit.operations)
            pub = evolve(pub, program=program_of(replace(circuit, operations=stays), pub.program))
        return super()._run(pub, made, asked, plan)

    def _noise(self, asked: Asked, plan: Plan) -> Noise | None:  # noqa: ARG002 - the base's
        if asked.methods.pec is not None:
            raise refusal(
                "pec",
                f"the noise of each gate as it runs on {self.inner.info.name} is not known here",
                "Use zne, which needs to know nothing.",
            )
        return None

    @staticmethod
    def _kept(pub: Pub, operations: Operations) -> tuple[int, ...]:
        assert pub.program.circuit is not None
        used, _ = uses((*operations, *pub.program.circuit.operations))
        for observable in pub.observables or ():
            used |= {
                qubit for pauli, _ in observable.terms for qubit, each in enumerate(reversed(pauli)) if each != "I"
            }
        return tuple(sorted(used))

    def _check_places(self, operations: Operations, kept: tuple[int, ...]) -> None:
        """Refuse to correct the readout of other qubits than those that are calibrated."""
        shape = self.inner.info.device
        if shape is None or not shape.coupling:
            return
        coupled = {frozenset(pair) for pair in shape.coupling}
        place = {qubit: index for index, qubit in enumerate(kept)}
        for operation in operations:
            on = operation.qubits if isinstance(operation, Gate | Unitary) else ()
            for pair in combinations(on, 2):
                if frozenset(place[qubit] for qubit in pair) not in coupled:
                    raise refusal(
                        "readout",
                        f"{self.inner.info.name} does not couple the qubits {pair[0]} and {pair[1]}, so that its "
                        "compiler would move them, and others would be read than those that are calibrated",
                        "Number the program's qubits along the device's coupling, or leave readout out.",
                    )


class SentMitigatingDevice(SentMitigatingDriver, MitigatingDevice):
    """The same of one that publishes its calibrations."""

    inner: SentDriver  # type: ignore[assignment]


class MitigatingProvider:
    """Implements `ports.provider.Provider` around a provider whose `look` leaves outcomes to `fetch`.

    Args:
        inner: Runs the circuits.
        driver: Plans for it.
    """

    def __init__(self, inner: Provider, driver: SentMitigatingDriver) -> None:
        self.inner, self._driver = inner, driver

    @property
    def poll_seconds(self) -> float:
        """As the provider says."""
        return self.inner.poll_seconds

    @property
    def settle_seconds(self) -> float:
        """As the provider says."""
        return self.inner.settle_seconds

    def send(self, key: str, work: Work, plan: Plan) -> ProviderJob:
        """Hand all circuits over, under the one key.

        Raises:
            RefusedByProviderError, TransientProviderError, AnswerLostError: As the provider.
        """
        if not _is_mitigated(work):
            return self.inner.send(key, _plain(work), plan)
        driver = self._driver
        return self.inner.send(key, driver.batch(work, driver.requests(driver.runs(work, plan))), plan)

    def find(self, key: str, since: float) -> ProviderJob | None:
        """As the provider says."""
        return self.inner.find(key, since)

    def look(self, provider_id: str) -> ProviderJob:
        """As the provider says."""
        return self.inner.look(provider_id)

    def fetch(self, provider_id: str, work: Work, plan: Plan) -> Execution:
        """The outcomes, with what all circuits brought combined.

        Raises:
            TransientProviderError, RefusedByProviderError: As the provider; and where circuits are missing.
            ExecutionError: Errors of the readout cannot be undone.
        """
        if not _is_mitigated(work):
            return self.inner.fetch(provider_id, _plain(work), plan)
        driver, asked = self._driver, read_asked(work.options)
        assert asked is not None
        runs = driver.runs(work, plan)
        requests = driver.requests(runs)
        found = self.inner.fetch(provider_id, driver.batch(work, requests), plan)
        if len(found.outcomes) != len(requests):
            raise RefusedByProviderError(
                "Not all circuits of the mitigation have outcomes.",
                cause=f"{len(found.outcomes)} of {len(requests)}",
            )
        for request, outcome in zip(requests, found.outcomes, strict=True):
            assert isinstance(outcome, Sampled)
            request.tally.add(outcome.counts, outcome.shots)
        outcomes = tuple(outcome_of(run) for run in runs)
        return Execution(outcomes, provenance_of([found.provenance], outcomes, asked), found.calibration)

    def cancel(self, provider_id: str) -> None:
        """As the provider does."""
        self.inner.cancel(provider_id)

    def close(self) -> None:
        """Close the provider."""
        self.inner.close()


def sent(driver: TargetDriver, provider: Provider) -> tuple[TargetDriver, Provider]:
    """Both halves of a target that is elsewhere, with the option "mitigation"; as they are where it cannot be sent."""
    if not isinstance(driver, SentDriver):
        return driver, provider
    kind = SentMitigatingDevice if isinstance(driver, DeviceDriver) else SentMitigatingDriver
    mitigating: SentMitigatingDriver = kind(driver)
    return mitigating, MitigatingProvider(provider, mitigating)


def _is_mitigated(work: Work) -> bool:
    asked = read_asked(work.options)
    return asked is not None and asked.changes_anything


def _plain(work: Work) -> Work:
    asked = read_asked(work.options)
    return work if asked is None else evolve(work, options=asked.left)
