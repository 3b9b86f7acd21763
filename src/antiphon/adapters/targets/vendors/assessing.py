"""What a program would meet on a vendor's device: compiled by the vendor's SDK, judged by the published calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from antiphon.adapters.targets.emu.assessing import assess_compiled
from antiphon.adapters.targets.emu.cache import Kept
from antiphon.adapters.targets.emu.schedule import schedule
from antiphon.adapters.targets.emu.tape_json import circuit_from_json
from antiphon.adapters.targets.sim.cache import BoundedCache
from antiphon.adapters.targets.sim.features import Features
from antiphon.adapters.targets.vendors.driver import VendorDriver
from antiphon.adapters.targets.vendors.lowering import write_dynamic, write_static
from antiphon.adapters.targets.vendors.pieces import features_for
from antiphon.adapters.targets.vendors.snapshots import Snapshots
from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import Circuit, Gate
from antiphon.domain.devices import Assessment
from antiphon.domain.evolve import evolve
from antiphon.domain.gates import GATES
from antiphon.domain.programs import Program
from antiphon.errors import ExecutionError, UnsupportedProgramError
from antiphon.ports.provider import RefusedByProviderError

Compile = Callable[[Mapping[str, Any]], Mapping[str, Any]]

GENERIC = 0.7390851
"""Parameters stand at its multiples while a program is compiled to be judged: no gate vanishes as it would at zero."""


class VendorDevice(VendorDriver):
    """A vendor's device that publishes its calibrations, and whose SDK compiles without sending.

    Args:
        vendor, sdk, device, slots: As those of a `VendorDriver`.
        compiling: Has the vendor's process compile a program.
    """

    def __init__(
        self,
        vendor: str,
        sdk: Mapping[str, str],
        device: Mapping[str, Any],
        slots: int,
        *,
        compiling: Compile,
        snapshots: Snapshots,
    ) -> None:
        super().__init__(vendor, sdk, device, slots)
        self._compiling, self._snapshots = compiling, snapshots
        self._compiled: BoundedCache[tuple[Circuit, tuple[int, ...]]] = BoundedCache(256)

    def calibration(self, at: float) -> Calibration:
        """The last that the vendor had told of a time before `at`, or the first where there was none yet.

        Raises:
            ExecutionError: None is known, and the vendor cannot be asked now.
        """
        known = self._snapshots.all()
        return next((each for each in reversed(known) if each.taken_at <= at), known[0])

    def calibrations(self, since: float, until: float) -> Sequence[Calibration]:
        """Those that the vendor was seen to publish in that time, newest first, and the one in force when it began.

        Raises:
            ExecutionError: As `calibration`.
        """
        known = self._snapshots.all()
        before = [each for each in known if each.taken_at < since][-1:]
        return [*before, *(each for each in known if since <= each.taken_at <= until)][::-1]

    def assess(self, program: Program, calibration: Calibration) -> Assessment:
        """What the program would meet under that calibration, compiled by the vendor's SDK as a job would be.

        Raises:
            UnsupportedProgramError: It cannot be sent, or compiled.
            ExecutionError: The vendor's process cannot be asked now.
        """
        circuit, layout = self._compiled.get((program.digest, program.entry_point), lambda: self._compile(program))
        done = schedule(circuit.operations, calibration)
        kept = Kept(
            evolve(circuit, operations=done.operations), layout, layout, 0.0, done.seconds, tuple(done.waits.items())
        )
        return assess_compiled(kept, calibration)

    def _compile(self, program: Program) -> tuple[Circuit, tuple[int, ...]]:
        features = features_for(program)
        name = self.info.name
        if features is None:
            raise UnsupportedProgramError(
                f"{name} cannot judge this program.", code="program-opaque", cause=program.opaque_because
            )
        try:
            told = self._compiling(_piece(features))
        except RefusedByProviderError as error:
            raise UnsupportedProgramError(
                f"{name} does not run this program.", cause=error.cause, next_step="Run it on a target that does."
            ) from None
        except NotImplementedError as error:
            raise UnsupportedProgramError(f"{name} does not tell what it compiles.", cause=str(error)) from None
        try:
            return _circuit(told), tuple(int(qubit) for qubit in told["layout"])
        except (LookupError, TypeError, ValueError) as error:
            raise ExecutionError(f"{name} told what is no circuit.", cause=repr(error)) from None


def _circuit(told: Mapping[str, Any]) -> Circuit:
    registers = [["b", told["bits"], 0]]
    data = {"num_qubits": told["qubits"], "registers": registers, "parameters": [], "operations": told["operations"]}
    circuit = circuit_from_json(data)
    unknown = {each.name for each in circuit.walk() if isinstance(each, Gate)} - set(GATES)
    if unknown:
        raise ValueError(f"gates {sorted(unknown)}")
    return circuit


def _piece(features: Features) -> dict[str, Any]:
    """The program as it would be sent, at generic parameters; all qubits are measured where none is."""
    parameters = np.array([GENERIC * (1 + place) for place in range(len(features.circuit.parameters))])
    angles = features.angles_of_gates(parameters)
    if features.dynamic:
        return {"format": "openqasm3", "text": write_dynamic(features, angles), "bits": None, "shots": 1, "seed": 0}
    measured = sorted(_measured(features)) or list(range(features.num_qubits))
    text = write_static(features, angles, measured)
    return {"format": "openqasm3", "text": text, "bits": measured, "shots": 1, "seed": 0}


def _measured(features: Features) -> Iterator[int]:
    return iter({qubit for qubit, _ in features.readout if qubit >= 0})
