"""The noise of a device as its calibration tells it: relaxation for as long as each operation lasts, and what is left.

A gate's qubits relax for its duration; a depolarising channel then makes up what is missing to the gate's measured
infidelity (the construction of Qiskit Aer's device models, `NoiseModel.from_backend`). Readout stays as asymmetric as
it was measured. A qubit that is measured and goes on relaxes while it is measured, and others in use suffer from it
where the calibration says so; a reset that is made by measuring is wrong where that is misread. Leakage, coherent
errors, crosstalk of gates and drift within a shot are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from antiphon.domain.calibrations import Calibration, GateFigures
from antiphon.domain.circuits import Delay, Gate, Measure, Operation, Reset, Unitary
from antiphon.domain.noise import Channel, PauliChannel, Relaxation, depolarizing
from antiphon.errors import UnsupportedProgramError


class DeviceNoise:
    """Noise of native gates on physical qubits under one calibration; equal for equal calibrations and numbering.

    Args:
        numbers: Physical number of qubit i of the operations it is told of; empty when they are the physical ones.
    """

    __slots__ = ("calibration", "numbers")

    def __init__(self, calibration: Calibration, numbers: tuple[int, ...] = ()) -> None:
        self.calibration = calibration
        self.numbers = numbers

    @property
    def is_trivial(self) -> bool:
        """Never: devices err."""
        return False

    @property
    def heeds_time(self) -> bool:
        """Qubits relax while they wait."""
        return True

    def on(self, qubits: tuple[int, ...]) -> DeviceNoise:
        """The same noise for renumbered operations."""
        return DeviceNoise(self.calibration, tuple(self._physical(qubit) for qubit in qubits))

    def after(self, operation: Operation) -> tuple[Channel, ...]:
        """Relaxation and depolarisation after a native gate, relaxation in a delay and a measurement, flips by resets.

        Raises:
            UnsupportedProgramError: The gate is not native there.
        """
        match operation:
            case Delay(qubit, seconds):
                return tuple(self._relaxation((qubit,), seconds))
            case Gate(name, qubits):
                return self._after_gate(qubits, self.figures(name, qubits))
            case Unitary():
                raise _not_native("An explicit unitary", self.calibration.target)
            case Measure(qubit):
                return (*self._relaxation((qubit,), self.calibration.measure_s), *self._crosstalk(qubit))
            case Reset(qubit):
                return self._misread_reset(qubit)
            case _:
                return ()

    def readout(self, qubit: int) -> tuple[float, float]:
        """As measured, of each qubit and each state."""
        found = self.calibration.qubits[self._physical(qubit)]
        return found.readout_p01, found.readout_p10

    def figures(self, name: str, qubits: tuple[int, ...]) -> GateFigures:
        """Error and duration of a gate; `id` is a gate without either where the calibration does not list it.

        Raises:
            UnsupportedProgramError: The gate is not native there.
        """
        physical = tuple(self._physical(qubit) for qubit in qubits)
        found = self.calibration.gates.get(name, {}).get(physical)
        if found is None:
            if name == "id":
                return GateFigures(0.0, 0.0)
            raise _not_native(f"The gate {name!r} on {', '.join(map(str, physical))}", self.calibration.target)
        return found

    def _after_gate(self, qubits: tuple[int, ...], figures: GateFigures) -> tuple[Channel, ...]:
        channels: list[Channel] = list(self._relaxation(qubits, figures.seconds))
        dimension = 2 ** len(qubits)
        kept = math.prod(relaxed_fidelity(channel) for channel in channels if isinstance(channel, Relaxation))
        # From average to process (entanglement) fidelity.
        wanted = ((dimension + 1) * (1.0 - figures.error) - 1) / dimension
        mixed = 1 / dimension**2
        probability = min(1.0, max(0.0, (kept - wanted) / (kept - mixed))) if kept > mixed else 0.0
        channels.extend(depolarizing(qubits, probability))
        return tuple(channels)

    def _misread_reset(self, qubit: int) -> tuple[Channel, ...]:
        """It is left in 1, as often as a measurement is wrong of a qubit that is in 0 and in 1 equally often."""
        chance = self.calibration.reset_error(self._physical(qubit))
        return (PauliChannel((qubit,), (("X", chance),)),) if chance else ()

    def _crosstalk(self, measured: int) -> Iterable[Channel]:
        # The average infidelity of (1-p)ρ + p·I/2 is p/2.
        probability = 2.0 * self.calibration.crosstalk
        if not probability:
            return ()
        others = range(len(self.numbers) or len(self.calibration.qubits))
        return tuple(
            channel for other in others if other != measured for channel in depolarizing((other,), probability)
        )

    def _relaxation(self, qubits: Iterable[int], seconds: float) -> Iterable[Relaxation]:
        for qubit in qubits:
            figures = self.calibration.qubits[self._physical(qubit)]
            if seconds > 0.0 and math.isfinite(min(figures.t1, figures.t2)):
                yield Relaxation(qubit, seconds, figures.t1, min(figures.t2, 2 * figures.t1))

    def _physical(self, qubit: int) -> int:
        return self.numbers[qubit] if self.numbers else qubit

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, DeviceNoise)
            and self.calibration.digest == other.calibration.digest
            and self.numbers == other.numbers
        )

    def __hash__(self) -> int:
        return hash((self.calibration.digest, self.numbers))


def relaxed_fidelity(channel: Relaxation) -> float:
    """Process fidelity of relaxation with the identity."""
    kept = math.exp(-channel.seconds / channel.t1) if math.isfinite(channel.t1) else 1.0
    coherent = math.exp(-channel.seconds / channel.t2) if math.isfinite(channel.t2) else 1.0
    return (1.0 + kept + 2.0 * coherent) / 4.0


def twirled(channel: Relaxation) -> PauliChannel:
    """The Pauli channel that relaxation becomes when it is twirled: X and Y with (1 - e^{-t/T1})/4, Z with the rest.

    Source: Geller and Zhou, Phys. Rev. A 88, 012314 (2013).
    """
    lost = 1.0 - (math.exp(-channel.seconds / channel.t1) if math.isfinite(channel.t1) else 1.0)
    dephased = 1.0 - (math.exp(-channel.seconds / channel.t2) if math.isfinite(channel.t2) else 1.0)
    flip = lost / 4.0
    phase = max(0.0, dephased / 2.0 - lost / 4.0)
    return PauliChannel((channel.qubit,), (("X", flip), ("Y", flip), ("Z", phase)))


def _not_native(what: str, target: str) -> UnsupportedProgramError:
    return UnsupportedProgramError(
        f"{what} is not native to {target}.",
        code="gate-not-native",
        next_step="Let the target compile the program, or write it in the gates that its description lists.",
        details={"target": target},
    )
