"""One estimated pub: its estimates side by side, with the calibration that they share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from antiphon.adapters.targets.mitigation.bases import Measured, measured_for
from antiphon.adapters.targets.mitigation.calibrating import Calibrating
from antiphon.adapters.targets.mitigation.cancelling import inverse_noise, total_gamma
from antiphon.adapters.targets.mitigation.estimate_plan import Share, charging_of, pairs_of, runs_of, shares_of
from antiphon.adapters.targets.mitigation.estimating import Estimating, Values
from antiphon.adapters.targets.mitigation.ground import Ground, Operations, with_angles
from antiphon.adapters.targets.mitigation.instances import (
    Cancelling,
    Instances,
    Methods,
    make_instances,
)
from antiphon.adapters.targets.mitigation.programs import derived_seed
from antiphon.adapters.targets.mitigation.randomising import Insertions, flips, num_twirled
from antiphon.adapters.targets.mitigation.readout import Local, preparations
from antiphon.adapters.targets.mitigation.sentinel import Sentinel, make_sentinel
from antiphon.adapters.targets.mitigation.tallies import Request, Tally
from antiphon.adapters.targets.mitigation.tasks import Running
from antiphon.adapters.targets.mitigation.verdict import Measurement, judge, overall
from antiphon.adapters.targets.sim.task import estimated_shape
from antiphon.domain.allocation import ShotAllocation
from antiphon.domain.gate_counts import Tasks
from antiphon.domain.noise import Noise, Relaxation
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.results import Estimated
from antiphon.domain.work import Pub


class EstimateRun:
    """Over rounds of shots, from circuits to one outcome."""

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
        self._pub, self._ground, self._methods, self._allocation = pub, ground, methods, allocation
        self._settings = asked
        self._noise = noise if methods.pec is not None else None
        # Bits are the same in all shares, so that they share the calibration.
        support = measured_for(pub.observables).qubits
        self._places = tuple(ground.place_of[qubit] for qubit in support)
        self._shares = shares_of(pub, apart=allocation is not None)
        self._why_no_sentinel = "" if methods.sentinel else "none was asked for"
        self.calibrating = self._calibrating() if methods.readout is not None and support else None
        self._parts = [self._part(index, share, support) for index, share in enumerate(self._shares)]

    # --- circuits

    def _calibrating(self) -> Calibrating:
        methods = self._methods
        assert methods.readout is not None
        turned = None
        if methods.readout.method == "twirled":
            own = derived_seed(self._pub.seed, "calibration")
            turned = [
                flips(len(self._places), index, lambda pair: np.random.default_rng(derived_seed(own, pair)))
                for index in range(methods.randomizations + methods.randomizations % 2)
            ]
        known = preparations(len(self._places), turned)
        return Calibrating(self._ground, self._places, known, methods.readout, self._pub.seed)

    def _part(self, index: int, share: Share, support: tuple[int, ...]) -> Estimating:
        pub, methods = self._pub, self._methods
        assert pub.observables is not None
        assert pub.shots is not None
        observables = [pub.observables[place] for place in share.observables]
        measured = _on_bits(measured_for(observables), support)
        parameters = _some_sets(pub.parameters, share.sets)
        ground, bound = self._ground.bound(parameters)
        if methods.pec is not None:
            # The time that qubits wait has noise of its own, which is undone as that of gates is.
            ground = replace(ground, operations=ground.finish(ground.operations))
        own = derived_seed(pub.seed, "share", index)
        args = (measured.bases, self._places, methods, own)
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
            self._allocation,
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
        totals = [part.next_total() for part in self._parts]
        active = sum(part.num_sets for part, total in zip(self._parts, totals, strict=True) if total > 0)
        if not active:
            return []
        found: list[Request] = []
        each = 0
        if self.calibrating is not None:
            whole = sum(total * part.num_sets for part, total in zip(self._parts, totals, strict=True))
            wanted = self.calibrating.wanted(whole)
            each = math.ceil(wanted / active)
            found += self.calibrating.requests(wanted)
        for part, total in zip(self._parts, totals, strict=True):
            if total > 0:
                found += part.next_round(total, each)
        return found

    # --- values

    def outcome(self) -> Estimated:
        """What came of all rounds."""
        pub = self._pub
        values: dict[tuple[int, int], tuple[float, float, float, float, dict[str, Any] | None]] = {}
        for part, share in zip(self._parts, self._shares, strict=True):
            part.settle()
            found = part.values()
            verdicts = self._judge(part, found) if self._mitigates else None
            for row, place in enumerate(share.sets):
                for column, observable in enumerate(share.observables):
                    values[place, observable] = (
                        float(found.mitigated[row, column]),
                        math.sqrt(found.variances[row, column]),
                        float(found.raw[row, column]),
                        math.sqrt(found.raw_variances[row, column]),
                        None if verdicts is None else verdicts[row][column],
                    )
        flat = [values[pair] for pair in zip(*pairs_of(pub), strict=True)]
        details: dict[str, Any] = {}
        if self._mitigates:
            details["mitigation"] = self._told(flat)
        if self._allocation is not None:
            details["allocation"] = self._allocation_told()
        return Estimated(
            estimated_shape(pub),
            tuple(each[0] for each in flat),
            tuple(each[1] for each in flat),
            max((part.spent for part in self._parts), default=0),
            details,
        )

    def tasks(self) -> tuple[Tasks, ...]:
        """What really ran, as what is charged."""
        runs = [run for part in self._parts for run in runs_of(part.tallies, part.measured, self._methods)]
        if self.calibrating is not None:
            runs.append(Running(None, len(self.calibrating.tallies), self.calibrating.shots))
        return charging_of(self._pub, self._ground, self._methods).tasks(runs)

    @property
    def _mitigates(self) -> bool:
        return bool(self._settings)

    def _judge(self, part: Estimating, found: Values) -> list[list[dict[str, Any]]]:
        known = part.sentinel_values()
        rows = []
        for row in range(found.raw.shape[0]):
            line = []
            for column in range(found.raw.shape[1]):
                sentinel: tuple[Measurement, float] | str = part.known if isinstance(part.known, str) else ""
                if isinstance(part.known, Sentinel) and known is not None:
                    exact = float(part.known.exact[column] + part.measured.constants[column])
                    sentinel = (_measurement(known, 0, column), exact)
                constant, reach = part.measured.constants[column], part.measured.reach[column]
                low, high = float(constant - reach), float(constant + reach)
                line.append(judge(_measurement(found, row, column), low, high, sentinel))
            rows.append(line)
        return rows

    def _told(self, flat: Sequence[tuple[float, float, float, float, Any]]) -> dict[str, Any]:
        verdicts = [each[4] for each in flat]
        tallies = self._tallies()
        program = [tally for tally in tallies if tally.cell.role in {"program", "raw"}]
        first = self._parts[0]
        return {
            "settings": self._settings,
            "raw": {"values": [each[2] for each in flat], "stderr": [each[3] for each in flat]},
            "mitigated": {"values": [each[0] for each in flat], "stderr": [each[1] for each in flat]},
            "verdict": overall(verdicts),
            "verdicts": verdicts,
            "overhead": {
                "shots": sum(tally.shots * tally.cell.parameters.num_sets for tally in tallies),
                "program_shots": sum(tally.shots * tally.cell.parameters.num_sets for tally in program),
                "circuits": len(tallies),
                "variance": [self._inflation(each[1], each[3]) for each in flat],
            },
            "shots_rule": "of each parameter set in all: mitigated circuits, calibration and sentinel share them",
            "qubits": [list(self._places)],
            "bases": [[basis.letters[::-1] for basis in part.measured.bases] for part in self._parts],
            "factors": list(first.program.factors),
            "extrapolation": self._extrapolation(first),
            "gamma": first.program.gamma,
            "twirled_gates": num_twirled(self._ground.operations) if self._methods.twirls_gates else 0,
            "readout": self._readout_told(),
            "sentinel": first.known if isinstance(first.known, str) else "used",
            "circuits": [tally.to_json() for tally in tallies],
        }

    def _inflation(self, mitigated: float, raw: float) -> float | None:
        """Shots that the mitigated value takes for each of the raw one, for the same standard error."""
        part = self._parts[0]
        own = sum(tally.shots for tally in part.tallies if self._is_raw(part, tally))
        return None if not raw or not own else (mitigated / raw) ** 2 * part.spent / own

    @staticmethod
    def _is_raw(part: Estimating, tally: Tally) -> bool:
        return tally.cell.role == part.program.raw_role and tally.cell.factor == 0

    def _extrapolation(self, part: Estimating) -> dict[str, Any] | None:
        if self._methods.zne is None or not part.measured.bases:
            return None
        found = part.values().at_zero
        weights = None if found.weights is None else found.weights.tolist()
        return {"weights": weights, "lines_in_place_of_curves": found.fallbacks}

    def _readout_told(self) -> dict[str, Any] | None:
        if self.calibrating is None:
            return None
        reader = self.calibrating.reader()
        told: dict[str, Any] = {"method": self._methods.readout.method, "shots": self.calibrating.shots}  # type: ignore[union-attr]
        if isinstance(reader, Local):
            told |= {"p01": reader.p01.tolist(), "p10": reader.p10.tolist()}
        return told

    def _allocation_told(self) -> dict[str, Any]:
        assert self._allocation is not None
        return {
            **self._allocation.to_json(),
            "ceiling": self._pub.shots,
            "reached": all(part.reached for part in self._parts),
            "shots": [part.spent for part in self._parts],
            "rounds": [part.rounds for part in self._parts],
        }

    def _tallies(self) -> list[Tally]:
        own = [] if self.calibrating is None else self.calibrating.tallies
        return [*own, *(tally for part in self._parts for tally in part.tallies)]


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


def _measurement(found: Values, row: int, column: int) -> Measurement:
    return Measurement(
        float(found.raw[row, column]),
        math.sqrt(found.raw_variances[row, column]),
        float(found.mitigated[row, column]),
        math.sqrt(found.variances[row, column]),
        math.sqrt(found.shift_variances[row, column]),
    )
