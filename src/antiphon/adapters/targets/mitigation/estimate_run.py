"""One estimated pub while it runs: its circuits side by side, with the calibration that they share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from antiphon.adapters.targets.mitigation.bases import Measured, measured_for
from antiphon.adapters.targets.mitigation.calibrating import Calibrating
from antiphon.adapters.targets.mitigation.cancelling import inverse_noise, total_gamma
from antiphon.adapters.targets.mitigation.estimate_plan import Share, charging_of, runs_of, shares_of
from antiphon.adapters.targets.mitigation.estimating import Estimating
from antiphon.adapters.targets.mitigation.ground import Ground, Operations, with_angles
from antiphon.adapters.targets.mitigation.instances import (
    Cancelling,
    Instances,
    Methods,
    make_instances,
)
from antiphon.adapters.targets.mitigation.programs import derived_seed
from antiphon.adapters.targets.mitigation.randomising import Insertions, flips
from antiphon.adapters.targets.mitigation.readout import preparations
from antiphon.adapters.targets.mitigation.sentinel import Sentinel, make_sentinel
from antiphon.adapters.targets.mitigation.tallies import Request, Tally
from antiphon.adapters.targets.mitigation.tasks import Running
from antiphon.domain.allocation import ShotAllocation
from antiphon.domain.gate_counts import Tasks
from antiphon.domain.noise import Noise, Relaxation
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.work import Pub


class EstimateRun:
    """Circuits over rounds of shots; `EstimateOutcome` is what comes of them."""

    def __init__(
        self,
        pub: Pub,
        ground: Ground,
        methods: Methods,
        allocation: ShotAllocation | None,
        noise: Noise | None,
        asked: Any,
    ) -> None:
        assert pub.observables is not None
        assert pub.shots is not None
        self.pub, self.ground, self.methods, self.allocation = pub, ground, methods, allocation
        self.settings = asked
        self._noise = noise if methods.pec is not None else None
        # Bits are the same in all shares, so that they share the calibration.
        support = measured_for(pub.observables).qubits
        self.places = tuple(ground.place_of[qubit] for qubit in support)
        self.shares = shares_of(pub, apart=allocation is not None)
        self._why_no_sentinel = "" if methods.sentinel else "none was asked for"
        self.calibrating = self._calibrating() if methods.readout is not None and support else None
        self.parts = [self._part(index, share, support) for index, share in enumerate(self.shares)]

    # --- circuits

    def _calibrating(self) -> Calibrating:
        methods = self.methods
        assert methods.readout is not None
        turned = None
        if methods.readout.method == "twirled":
            own = derived_seed(self.pub.seed, "calibration")
            turned = [
                flips(len(self.places), index, lambda pair: np.random.default_rng(derived_seed(own, pair)))
                for index in range(methods.randomizations + methods.randomizations % 2)
            ]
        known = preparations(len(self.places), turned)
        return Calibrating(self.ground, self.places, known, methods.readout, self.pub.seed)

    def _part(self, index: int, share: Share, support: tuple[int, ...]) -> Estimating:
        pub, methods = self.pub, self.methods
        assert pub.observables is not None
        assert pub.shots is not None
        observables = [pub.observables[place] for place in share.observables]
        measured = _on_bits(measured_for(observables), support)
        parameters = _some_sets(pub.parameters, share.sets)
        ground, bound = self.ground.bound(parameters)
        if methods.pec is not None:
            # The time that qubits wait has noise of its own, which is undone as that of gates is.
            ground = replace(ground, operations=ground.finish(ground.operations))
        own = derived_seed(pub.seed, "share", index)
        args = (measured.bases, self.places, methods, own)
        cancelling = self._cancelling(ground.operations)
        program = make_instances(ground, ground.operations, bound, *args, "program", cancelling)
        sentinel: Instances | None = None
        found: Sentinel | str = self._why_no_sentinel or "the observables are constants"
        if methods.sentinel and measured.bases:
            found = self._make_sentinel(ground, bound, observables, own)
        if isinstance(found, Sentinel):
            single = replace(ground, circuit=replace(ground.circuit, parameters=()))
            none = ParameterSets((), (), b"")
            cancelling = self._cancelling(found.operations)
            sentinel = make_instances(single, found.operations, none, *args, "sentinel", cancelling)
        return Estimating(
            measured,
            methods,
            program,
            sentinel,
            self.calibrating,
            self.allocation,
            pub.shots,
            len(share.sets),
            found,
        )

    def _cancelling(self, operations: Operations) -> Cancelling | None:
        noise = self._noise
        if noise is None:
            return None
        inverse_of = inverse_noise(noise)
        twirls = any(isinstance(channel, Relaxation) for each in operations for channel in noise.after(each))
        return Cancelling(Insertions.of(operations, inverse_of), total_gamma(operations, inverse_of), twirls)

    def _make_sentinel(
        self, ground: Ground, parameters: ParameterSets, observables: Sequence[Any], seed: int
    ) -> Sentinel | str:
        if not ground.is_static:
            return "the program measures or branches on its way"
        width = len(parameters.names)
        values = np.frombuffer(parameters.data, dtype="<f8")[:width]  # of the first set
        operations = with_angles(ground.operations, values)
        rng = np.random.default_rng(derived_seed(seed, "sentinel"))
        return make_sentinel(operations, observables, dict(ground.place_of), rng)

    # --- shots

    def requests(self) -> list[Request]:
        """The next round, over all shares; empty when there are enough shots."""
        totals = [part.next_total() for part in self.parts]
        active = sum(part.num_sets for part, total in zip(self.parts, totals, strict=True) if total > 0)
        if not active:
            return []
        found: list[Request] = []
        each = 0
        if self.calibrating is not None:
            whole = sum(total * part.num_sets for part, total in zip(self.parts, totals, strict=True))
            wanted = self.calibrating.wanted(whole)
            each = math.ceil(wanted / active)
            found += self.calibrating.requests(wanted)
        for part, total in zip(self.parts, totals, strict=True):
            if total > 0:
                found += part.next_round(total, each)
        return found

    def tasks(self) -> tuple[Tasks, ...]:
        """What really ran, as what is charged."""
        runs = [run for part in self.parts for run in runs_of(part.tallies, part.measured, self.methods)]
        if self.calibrating is not None:
            runs.append(Running(None, len(self.calibrating.tallies), self.calibrating.shots))
        return charging_of(self.pub, self.ground, self.methods).tasks(runs)

    def tallies(self) -> list[Tally]:
        """All circuits with what they brought, those of the calibration first."""
        own = [] if self.calibrating is None else self.calibrating.tallies
        return [*own, *(tally for part in self.parts for tally in part.tallies)]


def _some_sets(sets: ParameterSets, places: Iterable[int]) -> ParameterSets:
    chosen = list(places)
    values = np.frombuffer(sets.data, dtype="<f8").reshape(sets.num_sets, len(sets.names))[chosen]
    shape = () if len(chosen) == 1 else (len(chosen),)
    return ParameterSets(sets.names, shape, values.tobytes())


def _on_bits(measured: Measured, support: tuple[int, ...]) -> Measured:
    """The same with a bit for every qubit of `support`, so that all shares of a pub have the same bits."""
    if measured.qubits == support:
        return measured
    bit = {qubit: place for place, qubit in enumerate(support)}
    bases = []
    for basis in measured.bases:
        letters = ["Z"] * len(support)
        for letter, qubit in zip(basis.letters, measured.qubits, strict=True):
            letters[bit[qubit]] = letter
        supports = tuple(tuple(bit[measured.qubits[place]] for place in each) for each in basis.supports)
        bases.append(replace(basis, letters="".join(letters), supports=supports))
    return replace(measured, qubits=support, bases=tuple(bases))
