"""Prepare a program for a device: compile it, hold it against the device's limits, assess it, choose its engine.

It is made where it is asked for, or in a process apart from a server's: then what is as large as the circuit comes back
as bytes, which a server stores and hands on without looking into them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from antiphon.adapters.targets.emu.assessing import assess_compiled, two_qubit_gates
from antiphon.adapters.targets.emu.cache import CompiledCache, Kept
from antiphon.adapters.targets.emu.compile import Done, compile_circuit
from antiphon.adapters.targets.emu.limits import check_compiled
from antiphon.adapters.targets.emu.settings import CompileSettings
from antiphon.adapters.targets.sim.demand import Choice
from antiphon.adapters.targets.sim.noisy import plan_noisy
from antiphon.domain.calibrations import Calibration
from antiphon.domain.device_noise import DeviceNoise
from antiphon.domain.devices import Assessment, DeviceLimit
from antiphon.domain.evolve import evolve
from antiphon.domain.observables import Observable
from antiphon.domain.packed_circuits import PackedCircuit
from antiphon.domain.work import Compiled, Pub
from antiphon.frontends.openqasm_writer import to_openqasm3

LARGE = 2_000
"""A compiled circuit of more operations comes back packed."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A program as the device runs it.

    Attributes:
        choice: The engine that runs it for a pub; None if it was prepared for none.
        kept: Of a circuit that is not large and was prepared apart: to be kept in memory here.
    """

    compiled: Compiled
    level: int
    assessment: Assessment
    two_qubit_gates: int
    choice: Choice | None
    kept: Kept | None = None

    def told(self) -> dict[str, Any]:
        """What the record says of it."""
        return {
            "layout": list(self.compiled.layout),
            "depth": self.assessment.depth,
            "gates": dict(self.assessment.gates),
            "two_qubit_gates": self.two_qubit_gates,
            "shot_s": self.assessment.seconds,
            "expected_fidelity": self.assessment.fidelity,
            "feedforward_loss": self.assessment.feedforward_loss,
            "optimization_level": self.level,
            "compile_s": self.compiled.seconds,
            "reused": self.compiled.reused,
        }

    @property
    def num_bytes(self) -> int:
        """About what it takes in memory."""
        made = self.compiled.made
        return 2_000 + (made.num_bytes if isinstance(made, PackedCircuit) else 0) + len(self.compiled.text or b"")


@dataclass(frozen=True, slots=True)
class Device:
    """What preparing depends on beside the program and the calibration."""

    name: str
    limits: tuple[DeviceLimit, ...]
    all_to_all: bool


def assessed(device: Device, kept: Kept, calibration: Calibration) -> Assessment:
    """The assessment of a compiled program that the device takes.

    Raises:
        LimitError: It is too long for the device (code "too-deep").
    """
    check_compiled(device.name, device.limits, kept)
    return assess_compiled(kept, calibration)


def prepared(
    done: Done, assessment: Assessment, pub: Pub | None, noise: DeviceNoise, features_key: str | None
) -> Prepared:
    """A compiled and assessed program, with the engine that runs it for `pub`.

    Args:
        features_key: See `plan_noisy`; None keeps nothing in memory.

    Raises:
        UnsupportedProgramError, LimitError, MissingExtraError: No engine runs it with noise.
    """
    kept, choice = done.kept, None
    if pub is not None:
        choice = plan_noisy(on_device(pub, kept.circuit.num_qubits, kept.final), kept.circuit, noise, features_key)
    made = Compiled(kept.circuit, kept.layout, done.reused, kept.seconds, kept.final, done.key)
    return Prepared(made, done.level, assessment, two_qubit_gates(kept.circuit), choice)


def prepare_apart(
    device: Device,
    circuit: PackedCircuit,
    pub: Pub | None,
    calibration: Calibration,
    settings: CompileSettings,
    level: int,
    key: str,
    folder: Path,
) -> Prepared:
    """Prepare a program in a process that keeps nothing in memory for the next; what it compiles is in `folder`.

    Args:
        circuit: Of the program; that of the pub is left out.
    """
    store = CompiledCache(folder)
    found = store.get(key)
    kept = found or compile_circuit(circuit.circuit, calibration, settings, level, all_to_all=device.all_to_all)
    if found is None:
        store.put(key, kept)
    if pub is not None:
        pub = evolve(pub, program=evolve(pub.program, circuit=circuit.circuit))
    done = Done(key, kept, level, reused=found is not None)
    ready = prepared(done, assessed(device, kept, calibration), pub, DeviceNoise(calibration), None)
    if len(kept.circuit.operations) <= LARGE:
        return evolve(ready, kept=kept)
    text = to_openqasm3(kept.circuit).encode()
    return evolve(ready, compiled=evolve(ready.compiled, made=PackedCircuit(kept.circuit), text=text))


def on_device(pub: Pub, num_qubits: int, final: tuple[int, ...]) -> Pub:
    """The pub with its observables told of the device's qubits, where the program's end up."""
    if pub.observables is None:
        return pub
    return replace(pub, observables=tuple(_placed(each, num_qubits, final) for each in pub.observables))


def _placed(observable: Observable, num_qubits: int, final: tuple[int, ...]) -> Observable:
    terms = []
    for string, coefficient in observable.terms:
        letters = ["I"] * num_qubits
        for qubit, letter in enumerate(reversed(string)):
            letters[num_qubits - 1 - final[qubit]] = letter
        terms.append(("".join(letters), coefficient))
    return Observable(num_qubits, tuple(sorted(terms)))
