"""What an estimate takes before it runs: its pairs of parameter sets and observables, its circuits and their shots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from antiphon.adapters.targets.mitigation.bases import Measured, measured_for
from antiphon.adapters.targets.mitigation.calibrating import least_shots
from antiphon.adapters.targets.mitigation.estimating import LEAST_EACH, factor_priors, parts_of
from antiphon.adapters.targets.mitigation.ground import Ground
from antiphon.adapters.targets.mitigation.instances import Methods, check_foldable
from antiphon.adapters.targets.mitigation.tallies import Tally, shared
from antiphon.adapters.targets.mitigation.tasks import Charging, Running
from antiphon.adapters.targets.sim.task import estimated_shape
from antiphon.domain.allocation import ShotAllocation
from antiphon.domain.gate_counts import Tasks
from antiphon.domain.work import Pub
from antiphon.errors import LimitError


@dataclass(frozen=True)
class Share:
    """Parameter sets of a pub that are measured for the same observables, by their flat indices."""

    sets: tuple[int, ...]
    observables: tuple[int, ...]


def shares_of(pub: Pub, *, apart: bool) -> list[Share]:
    """The pub's pairs of parameter sets and observables as few rectangles.

    Args:
        apart: Each set by itself: it is given shots of its own.
    """
    sets, chosen = pairs_of(pub)
    wanted: dict[int, list[int]] = {}
    for place, observable in zip(sets, chosen, strict=True):
        wanted.setdefault(place, []).append(observable)
    together: dict[tuple[int, ...], list[int]] = {}
    for place, observables in wanted.items():
        together.setdefault(tuple(sorted(set(observables))), []).append(place)
    found = [Share(tuple(places), observables) for observables, places in together.items()]
    if not apart:
        return found
    return [Share((place,), share.observables) for share in found for place in share.sets]


def pairs_of(pub: Pub) -> tuple[list[int], list[int]]:
    """Flat indices of the parameter set and the observable of each value, in C order."""
    shape = estimated_shape(pub)

    def flat(own: tuple[int, ...]) -> list[int]:
        count = math.prod(own)
        return [int(each) for each in np.broadcast_to(np.arange(count).reshape(own), shape).ravel()]

    return flat(pub.parameters.shape), flat(pub.observables_shape)


def check_estimate(
    pub: Pub, ground: Ground, methods: Methods, allocation: ShotAllocation | None
) -> tuple[int, tuple[Tasks, ...]]:
    """Refuse an estimate that cannot be made so; returns how many circuits it takes at most, and what is charged.

    Raises:
        ProgramError: A method does not fit the program (code "mitigation-invalid").
        LimitError: Too few shots for so many circuits (code "shots-too-few").
    """
    assert pub.observables is not None
    assert pub.shots is not None
    check_foldable(methods, ground.operations)
    shares = shares_of(pub, apart=allocation is not None)
    every = [measured_for([pub.observables[index] for index in share.observables]) for share in shares]
    counts = [len(measured.bases) * methods.num_instances * (2 if methods.sentinel else 1) for measured in every]
    circuits, most = sum(counts), max(counts, default=0)
    sets = pub.parameters.num_sets
    charging = charging_of(pub, ground, methods)
    calibration = preparations = 0
    if methods.readout is not None:
        calibration = math.ceil(least_shots(methods.readout, pub.shots * sets) / sets)
        preparations = methods.num_preparations(charging.bits)
    least = LEAST_EACH * most + calibration
    if pub.shots < least:
        raise LimitError(
            f"{pub.shots:,} shots are too few for this estimate.",
            code="shots-too-few",
            cause=f"it takes {most} circuits with at least {LEAST_EACH} shots each"
            + (f", and {calibration} shots of calibration" if calibration else ""),
            next_step=f"Ask for at least {least:,} shots, or for fewer randomizations or noise factors.",
            details={"shots": pub.shots, "least": least},
        )
    runs = [run for share, measured in zip(shares, every, strict=True)
            for run in _planned(pub.shots - calibration, len(share.sets), measured, methods)]  # fmt: skip
    if calibration:
        runs.append(Running(None, preparations, calibration * sets))
    return circuits + preparations, charging.tasks(runs)


def charging_of(pub: Pub, ground: Ground, methods: Methods) -> Charging:
    """What one run of a circuit of the pub counts."""
    width = max((observable.num_qubits for observable in pub.observables or ()), default=0)
    used = {qubit for observable in pub.observables or () for pauli, _ in observable.terms
            for qubit in range(width) if pauli[::-1][qubit : qubit + 1] not in ("", "I")}  # fmt: skip
    return Charging(pub, ground, methods, len(used))


def runs_of(tallies: Sequence[Tally], measured: Measured, methods: Methods) -> list[Running]:
    """What really ran of the circuits of one share."""
    together: dict[tuple[str, int, int], list[Tally]] = {}
    for tally in tallies:
        cell = tally.cell
        together.setdefault((cell.role, cell.factor, cell.basis), []).append(tally)
    turns = _rotations(measured)
    return [
        Running(
            methods.factors[factor],
            len(alike),
            sum(tally.shots for tally in alike),
            alike[0].cell.parameters.num_sets,
            turns[basis],
            not role.endswith("raw"),
        )
        for (role, factor, basis), alike in together.items()
    ]


def _planned(shots: int, sets: int, measured: Measured, methods: Methods) -> list[Running]:
    if not measured.bases:
        return []
    priors = factor_priors(methods.zne, methods.factors)
    norms = np.array([basis.norm for basis in measured.bases])
    turns = _rotations(measured)
    found = []
    for role, part in parts_of(methods, sentinel=bool(methods.sentinel)).items():
        is_raw = role.endswith("raw")
        weights = norms if is_raw else np.outer(priors, norms).ravel()
        given = shared(round(shots * part), weights.tolist())
        for place, each in enumerate(given):
            factor, basis = divmod(place, len(norms))
            circuits = 1 if is_raw else methods.instances_each
            run_sets = 1 if role.startswith("sentinel") else sets
            found.append(Running(methods.factors[factor], circuits, each, run_sets, turns[basis], not is_raw))
    return found


def _rotations(measured: Measured) -> list[int]:
    return [len(basis.rotations(range(len(measured.qubits)))) for basis in measured.bases]
