"""Emulated devices for tests: with a cache of their own, without noise, or made up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.driver import EmuDriver
from antiphon.adapters.targets.emu.recorded import RecordedDevice, recorded
from antiphon.domain.calibrations import Calibration, GateFigures, QubitFigures
from antiphon.domain.devices import DeviceLimit, DeviceShape


def noise_free(calibration: Calibration) -> Calibration:
    """The same device, were it perfect: the same durations, no errors, nothing relaxes."""
    return replace(
        calibration,
        qubits=(QubitFigures(math.inf, math.inf, 0.0, 0.0),) * len(calibration.qubits),
        gates={
            name: {on: GateFigures(0.0, each.seconds) for on, each in places.items()}
            for name, places in calibration.gates.items()
        },
    )


def perfect_device(name: str) -> RecordedDevice:
    device = recorded(name)
    return replace(device, calibrations=(noise_free(device.calibrations[-1]),))


def perfect(name: str, store: CompiledCache | None = None) -> EmuDriver:
    return EmuDriver(name, perfect_device, store)


def line_calibration(
    num_qubits: int = 4,
    *,
    one: GateFigures = GateFigures(0.0, 1e-7),  # noqa: B008 - immutable
    two: GateFigures = GateFigures(0.0, 5e-7),  # noqa: B008
    qubits: Mapping[int, QubitFigures] | None = None,
) -> Calibration:
    """Qubits in a row, gates sx, x, rz and cz, readout 2 µs, reset 1 µs, decisions after 1 µs; perfect but as given."""
    found = qubits or {}
    ideal = QubitFigures(math.inf, math.inf, 0.0, 0.0)
    singles = [(qubit,) for qubit in range(num_qubits)]
    pairs = [pair for a in range(num_qubits - 1) for pair in ((a, a + 1), (a + 1, a))]
    return Calibration(
        target="emu.line",
        taken_at=1.7e9,
        qubits=tuple(found.get(qubit, ideal) for qubit in range(num_qubits)),
        gates={
            "sx": dict.fromkeys(singles, one),
            "x": dict.fromkeys(singles, one),
            "rz": dict.fromkeys(singles, GateFigures(0.0, 0.0)),
            "cz": dict.fromkeys(pairs, two),
        },
        measure_s=2e-6,
        reset_s=1e-6,
        feedforward_s=1e-6,
        source="made up",
    )


def made_up(calibration: Calibration, *, folder: Path | None = None, limits: tuple[DeviceLimit, ...] = ()) -> EmuDriver:
    pairs = tuple((a, b) for a, b in calibration.gates["cz"])
    shape = DeviceShape("superconducting", tuple(calibration.gates), pairs, limits)
    device = RecordedDevice(calibration.target, "a row of qubits", shape, len(calibration.qubits), (calibration,))
    return EmuDriver(calibration.target, lambda _: device, None if folder is None else CompiledCache(folder))
