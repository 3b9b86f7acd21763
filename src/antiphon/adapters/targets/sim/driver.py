"""The simulator targets: check a work, choose engines, run them, and say how."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from antiphon.adapters.targets.sim import choose, distribution
from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.checks import check_pub
from antiphon.adapters.targets.sim.demand import Choice, Demand
from antiphon.adapters.targets.sim.engines import branching, running
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.sim.pauli_sampling import check_shots, grouped_on
from antiphon.adapters.targets.sim.reading import features_of
from antiphon.adapters.targets.sim.settings import Settings, read_settings
from antiphon.adapters.targets.sim.task import Ran, Task, parameter_array
from antiphon.domain.programs import Program
from antiphon.domain.results import Execution, Outcome
from antiphon.domain.targets import TargetInfo
from antiphon.domain.work import Plan, Pub, Work
from antiphon.errors import LimitError

INLINE_BYTES = 256 * 2**20
REHEARSED_SETS = 4
"""A work of more parameter sets that may have no end goes to a worker anyway."""

Rule = Callable[[Demand, Floats], Choice]

_features: BoundedCache[Features] = BoundedCache(2_000_000, lambda features: len(features.operations) + 1)


@dataclass(frozen=True, slots=True)
class _Held:
    """A choice made before, or why it depends on more than its key."""

    choice: Choice


class SimDriver:
    """One simulator target: what it declares, and the rule by which it chooses engines.

    Args:
        info: What the target declares.
        rule: Chooses the engine for a program whose circuit is known.
        reads_parameters: The rule looks at parameter values, so that its choice is not remembered for programs that
            have any.
    """

    def __init__(self, info: TargetInfo, rule: Rule, *, reads_parameters: bool = False) -> None:
        self._info = info
        self._rule = rule
        self._reads_parameters = reads_parameters
        self._choices: BoundedCache[_Held] = BoundedCache(4096)

    @property
    def info(self) -> TargetInfo:
        """What the target declares; constant while the driver lives."""
        return self._info

    def plan(self, work: Work) -> Plan:
        """Check `work` against the target and choose an engine for each pub.

        Raises:
            UnsupportedProgramError: An instruction, profile or option is not supported.
            ProgramError: No measurement, wrong parameters, or a wrong observable.
            LimitError: Too wide, too long, too many shots, or more memory than this machine has.
            MissingExtraError: No engine that could run the program is installed.
        """
        settings = self._settings(work.options)
        self._check_size(work)
        choices = [self._choose(pub, settings, work.options) for pub in work.pubs]
        sets = [pub.parameters.num_sets for pub in work.pubs]
        if settings.exact_probabilities:
            distribution.check_sum(_exact_bytes(pub, settings) for pub in work.pubs)
        cost = sum(choice.seconds * count for choice, count in zip(choices, sets, strict=True))
        memory = max((choice.memory_bytes for choice in choices), default=0)
        safe = memory <= INLINE_BYTES and all(
            choice.safe or (sum(sets) <= REHEARSED_SETS and _ends_soon(pub, choice, settings))
            for pub, choice in zip(work.pubs, choices, strict=True)
        )
        return Plan(
            engine=tuple(choice.engine for choice in choices),
            reason=tuple(choice.reason for choice in choices),
            cost=cost,
            memory_bytes=memory,
            safe_inline=safe,
            num_calls=sum(sets),
            warnings=tuple(dict.fromkeys(choice.warning for choice in choices if choice.warning)),
        )

    def execute(self, work: Work, plan: Plan) -> Execution:
        """Run `work` as planned; one outcome for each pub, in order.

        Raises:
            ExecutionError: The engine ended without a result.
        """
        settings = self._settings(work.options)
        outcomes: list[Outcome] = []
        parts: list[dict[str, Any]] = []
        for pub, engine, reason in zip(work.pubs, plan.engine, plan.reason, strict=True):
            started = time.perf_counter()
            own = distribution.settled(settings, pub, features_for(pub.program))
            outcome, ran = _run(pub, engine, own)
            elapsed = time.perf_counter() - started + (ran.seconds or 0.0)
            outcomes.append(outcome)
            part: dict[str, Any] = {
                "engine": engine,
                "engine_version": running.version_of(engine),
                "method": ran.method,
                "precision": ran.precision,
                "why": reason,
                "engine_s": elapsed,
                "num_calls": ran.num_calls,
            }
            if settings.exact_probabilities:
                why_not = distribution.obstacle(settings, pub, features_for(pub.program))
                part["probabilities"] = f"counts alone: {why_not}" if why_not else "exact"
            parts.append(part)
        return Execution(tuple(outcomes), _provenance(parts))

    def _settings(self, options: Mapping[str, Any]) -> Settings:
        return read_settings(options, self._info.options, self._info.name) if options else _NO_SETTINGS

    def _check_size(self, work: Work) -> None:
        limits = self._info.limits
        if len(work.pubs) > limits.max_programs:
            raise LimitError(
                f"{len(work.pubs)} programs are more than {self._info.name} takes in one job.",
                cause=f"the limit is {limits.max_programs}",
                next_step="Split the batch.",
            )

    def _choose(self, pub: Pub, settings: Settings, options: Mapping[str, Any]) -> Choice:
        program = pub.program
        features = features_for(program)
        parameters = parameter_array(pub)
        check_pub(pub, features, parameters, self._info)
        settings = distribution.settled(settings, pub, features)
        if features is not None and pub.observables is not None and pub.shots is not None:
            for observable in pub.observables:
                check_shots(len(grouped_on(observable, features.qubits).groups), pub.shots)
        num_terms = 1 if pub.observables is None else sum(len(item.terms) for item in pub.observables)
        demand = Demand(program, features, pub.observables is None, pub.shots, settings, num_terms)
        if features is not None and features.is_parametric and self._reads_parameters:
            return self._decide(demand, parameters)
        key = (
            program.digest,
            program.entry_point,
            features is None,
            demand.sampling,
            pub.shots,
            num_terms,
            json.dumps(options, sort_keys=True) if options else "",
            settings.exact_probabilities,
        )
        return self._choices.get(key, lambda: _Held(self._decide(demand, parameters))).choice

    def _decide(self, demand: Demand, parameters: Floats) -> Choice:
        forced = demand.settings.engine
        if demand.features is None:
            choice = choose.opaque(demand, self._info.name)
            if forced not in (None, choice.engine):
                raise running.refusal(str(forced), choice.reason, "Leave the option out.")
            return choice
        if demand.settings.exact_probabilities:
            choice = choose.statevector(demand)
            assert demand.features is not None
            writing = 2e-6 * distribution.num_outcomes(demand.features)
            reason = f"{choice.reason}; exact probabilities are read from it too"
            choice = replace(choice, seconds=choice.seconds + writing, reason=reason)
        else:
            choice = self._rule(demand, parameters)
        return choice if forced is None else running.forced(forced, choice, demand, self._info.name, parameters)


_NO_SETTINGS = Settings()


def features_for(program: Program) -> Features | None:
    """The features of the program's circuit, read once; None when it has no circuit."""
    circuit = program.circuit
    if circuit is None:
        return None
    return _features.get((program.digest, program.entry_point), lambda: features_of(circuit))


def _ends_soon(pub: Pub, choice: Choice, settings: Settings) -> bool:
    """Whether a run with loops on measured bits, which may have no end, has a near one."""
    features = features_for(pub.program)
    if choice.engine != "branching" or features is None or pub.shots is None:
        return False
    return branching.ends_soon(Task(_key(pub.program), pub, features, parameter_array(pub), settings))


def _run(pub: Pub, engine: str, settings: Settings) -> tuple[Outcome, Ran]:
    features = features_for(pub.program)
    if features is None:
        return running.run_opaque(pub, engine, settings)
    return running.run_circuit(engine, Task(_key(pub.program), pub, features, parameter_array(pub), settings))


def _exact_bytes(pub: Pub, settings: Settings) -> int:
    features = features_for(pub.program)
    if features is None or distribution.obstacle(settings, pub, features):
        return 0
    return distribution.bytes_of(pub, features)


def _key(program: Program) -> str:
    return program.digest if program.entry_point is None else f"{program.digest}:{program.entry_point}"


def _provenance(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    if len(parts) == 1:
        return parts[0]
    told: dict[str, Any] = {
        name: " | ".join(dict.fromkeys(str(part[name]) for part in parts))
        for name in ("engine", "engine_version", "method", "precision", "why", "probabilities")
        if name in parts[0]
    }
    return {
        **told,
        "engine_s": sum(part["engine_s"] for part in parts),
        "num_calls": sum(part["num_calls"] for part in parts),
        "pubs": [{name: part[name] for name in ("engine", "engine_version", "method", "engine_s")} for part in parts],
    }
