"""Counts under mitigation: the program in random instances, readout errors undone beside the raw counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.mitigation.calibrating import Calibrating, least_shots
from antiphon.adapters.targets.mitigation.ground import Ground, last_measurements
from antiphon.adapters.targets.mitigation.instances import Methods
from antiphon.adapters.targets.mitigation.m3 import Doubt, corrected
from antiphon.adapters.targets.mitigation.programs import derived_seed, program_of
from antiphon.adapters.targets.mitigation.randomising import flips, randomised
from antiphon.adapters.targets.mitigation.readout import prepared
from antiphon.adapters.targets.mitigation.tallies import Cell, Request, Tally, shared
from antiphon.adapters.targets.mitigation.verdict import SIGNIFICANT
from antiphon.domain.circuits import Circuit, Measure
from antiphon.domain.mitigation import ReadoutCorrection, refusal
from antiphon.domain.work import Pub

Floats = NDArray[np.float64]

LEAST_TOTAL = 10_000
"""Of so many shots and fewer the calibration gets as many: it runs beside them, and too few tell nothing."""


def read_last(circuit: Circuit) -> tuple[tuple[int, int], ...]:
    """(qubit, bit) of the measurements at the circuit's end, by bit; those on the way are not among them."""
    last = last_measurements(circuit.operations)
    found = [op for place, op in enumerate(circuit.operations) if place in last and isinstance(op, Measure)]
    return tuple(sorted(((op.qubit, op.clbit) for op in found), key=lambda pair: pair[1]))


def calibration_shots(pub: Pub, settings: ReadoutCorrection) -> int:
    """Shots of the calibration circuits beside those of the program."""
    return least_shots(settings, max((pub.shots or 0) * pub.parameters.num_sets, LEAST_TOTAL))


class Sampling:
    """The circuits of one sampled pub.

    Args:
        ground: Of the program's circuit, or the compiled one.
        as_it_is: The program that runs where nothing about it is varied.
        pairs: (qubit of the circuit, bit) of the measurements at its end.
    """

    def __init__(
        self,
        pub: Pub,
        methods: Methods,
        ground: Ground,
        as_it_is: Cell,
        pairs: Sequence[tuple[int, int]],
        calibrating: Calibrating | None,
    ) -> None:
        self.pub, self.methods, self.calibrating = pub, methods, calibrating
        self.bits = tuple(clbit for _, clbit in pairs)
        self._registers = pub.program.registers
        varied = methods.twirling is not None or methods.decoupling is not None
        cells = self._instances(ground, pairs) if varied else [as_it_is]
        self.tallies = [Tally(cell) for cell in cells]
        self._asked = False

    def _instances(self, ground: Ground, pairs: Sequence[tuple[int, int]]) -> list[Cell]:
        methods, pub = self.methods, self.pub
        places = tuple(qubit for qubit, _ in pairs)
        measured = tuple(Measure(qubit, clbit) for qubit, clbit in pairs)
        ground, parameters = ground.bound(pub.parameters)
        cells = []
        for instance in range(methods.randomizations):
            rng = np.random.default_rng(derived_seed(pub.seed, "instance", instance))
            operations = ground.operations
            if methods.twirls_gates:
                operations = randomised(operations, rng, twirl=True)
            turned = (False,) * len(pairs)
            if methods.flips_bits:
                turned = flips(
                    len(pairs), instance, lambda pair: np.random.default_rng(derived_seed(pub.seed, "flips", pair))
                )
            finished = ground.finish((*operations, *prepared(places, turned), *measured))
            circuit = Circuit(ground.circuit.num_qubits, ground.circuit.registers, parameters.names, finished)
            own = derived_seed(pub.seed, "program", instance)
            program = program_of(circuit, pub.program)
            cells.append(Cell("program", program, parameters, turned, own, randomization=instance))
        return cells

    # --- shots

    def requests(self) -> list[Request]:
        """The only round: the shots of the program, and as many as the calibration needs beside them."""
        if self._asked:
            return []
        self._asked = True
        shots = self.pub.shots or 0
        given = shared(shots, [1.0] * len(self.tallies))
        found = [Request(tally, each) for tally, each in zip(self.tallies, given, strict=True) if each]
        if self.calibrating is not None:
            found += self.calibrating.requests(calibration_shots(self.pub, self.calibrating.settings))
        return found

    # --- values

    def counts(self) -> tuple[dict[str, int], ...]:
        """Of each parameter set, over all instances, deliberate flips undone."""
        merged: list[Counter[str]] = [Counter() for _ in range(self.pub.parameters.num_sets)]
        for tally in self.tallies:
            mask = dict(zip(self.bits, tally.cell.flips, strict=False))
            for total, counts in zip(merged, tally.counts, strict=False):
                for text, count in counts.items():
                    total[self._turned(text, mask)] += count
        return tuple(dict(sorted(total.items())) for total in merged)

    def readout(self) -> dict[str, Any]:
        """Probabilities with readout errors undone, of each parameter set, and whether that helps."""
        assert self.calibrating is not None
        p01, p10, doubts = self._errors()
        names = ("probabilities", "quasi_probabilities", "stderr", "edge", "pull")
        found: dict[str, Any] = {name: [] for name in names}
        for counts in self.counts():
            texts = list(counts)
            table = self._table(texts)
            times = np.array([counts[text] for text in texts], dtype=np.float64)
            undone = corrected(table, times, p01, p10, doubts)
            told = (undone.probabilities, undone.quasi, undone.stderr, undone.edge, undone.pull)
            for name, values in zip(names, told, strict=True):
                found[name].append(dict(zip(texts, values.tolist(), strict=True)))
        return {**found, "verdicts": [self._verdict()] * len(found["probabilities"])}

    def _errors(self) -> tuple[Floats, Floats, list[Doubt]]:
        """Errors of all of the program's bits, and their doubts; 0 of those that are not measured at the end."""
        assert self.calibrating is not None
        local = self.calibrating.local()
        p01, p10 = np.zeros((2, sum(register.size for register in self._registers)))
        shots = max(sum(tally.shots for tally in self.tallies), 1)
        turned = np.array([tally.cell.flips for tally in self.tallies], dtype=np.float64)
        part = np.array([tally.shots for tally in self.tallies]) @ turned / shots
        # A bit that is read flipped errs as the other value does.
        p01[list(self.bits)] = (1 - part) * local.p01 + part * local.p10
        p10[list(self.bits)] = (1 - part) * local.p10 + part * local.p01
        doubts = []
        for bit, turned_part, of_p01, of_p10 in zip(self.bits, part, *local.doubts, strict=True):
            doubts.append(Doubt(bit, (1 - turned_part) * of_p01, turned_part * of_p01))
            doubts.append(Doubt(bit, turned_part * of_p10, (1 - turned_part) * of_p10))
        return p01, p10, doubts

    def _verdict(self) -> dict[str, Any]:
        """What half of the calibration does to the other half, whose truth is known."""
        assert self.calibrating is not None
        before, after, shots = [], [], []
        p01, p10 = self.calibrating.local(half=0).p01, self.calibrating.local(half=0).p10
        for shown in self.calibrating.halves()[1]:
            seen = shown.times > 0
            bits, times = shown.bits[seen], shown.times[seen]
            truth = (bits == np.array(shown.truth, dtype=np.uint8)).all(axis=1)
            undone = corrected(bits, times, p01, p10)
            before.append(0.5 * float(np.abs(times / times.sum() - truth).sum()))
            after.append(0.5 * float(np.abs(undone.probabilities - truth).sum()))
            shots.append(float(times.sum()))
        error_before, error_after = float(np.mean(before)), float(np.mean(after))
        # Both are made of the same shots; that of a distance near 0 is at most one over the root of them.
        variance = sum(max(x * (1 - x), 1 / n) / n for x, n in zip(before, shots, strict=True))
        stderr = variance**0.5 / len(shots)
        z = (error_before - error_after) / stderr
        word = "helps" if z >= SIGNIFICANT else "harms" if z <= -SIGNIFICANT else "no evidence"
        why = {
            "helps": "half of the calibration, corrected by the other half, came nearer to what was prepared",
            "harms": "half of the calibration, corrected by the other half, went farther from what was prepared",
            "no evidence": "half of the calibration, corrected by the other half, changed no more than noise explains",
        }[word]
        return {"verdict": word, "why": why, "error_before": error_before, "error_after": error_after, "gain_z": z}

    def _table(self, texts: Sequence[str]) -> NDArray[np.uint8]:
        joined = "".join(text.replace(" ", "") for text in texts).encode("ascii")
        width = sum(register.size for register in self._registers)
        raw = np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), width) - ord("0")
        order = [index for register in reversed(self._registers) for index in self._bits_of(register)]
        table = np.empty_like(raw)
        table[:, order] = raw
        return table

    @staticmethod
    def _bits_of(register: Any) -> range:
        return range(register.offset + register.size - 1, register.offset - 1, -1)

    def _turned(self, text: str, mask: dict[int, bool]) -> str:
        if not any(mask.values()):
            return text
        order = iter(index for register in reversed(self._registers) for index in self._bits_of(register))
        return "".join(
            each if each == " " else ("10"[int(each)] if mask.get(next(order), False) else each) for each in text
        )


def check_pairs(pairs: Sequence[tuple[int, int]]) -> None:
    """Refuse what readout correction cannot treat.

    Raises:
        ProgramError: No measurement at the end, or a qubit that is read twice there (code "mitigation-invalid").
    """
    if not pairs:
        raise refusal(
            "readout",
            "the program measures nothing at its end: every measured bit or qubit is used again",
            "Leave readout out; a misread bit that steers the program cannot be corrected afterwards.",
        )
    qubits = [qubit for qubit, _ in pairs]
    if len(set(qubits)) < len(qubits):
        raise refusal("readout", "a qubit is measured into two bits at the end", "Measure each qubit into one bit.")
