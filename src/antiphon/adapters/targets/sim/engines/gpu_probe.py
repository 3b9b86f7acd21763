"""The one-off look at a GPU, in a process of its own: a driver that hangs or crashes costs nobody else.

Prints one JSON object: either `why` there is no use in it, or what `gpu.Gpu` holds.
"""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np

from antiphon.adapters.targets.sim.engines.lightning_gpu import GpuState
from antiphon.adapters.targets.sim.engines.lightning_state import LightningState, agrees_with_numpy
from antiphon.adapters.targets.sim.engines.tape import tape_of
from antiphon.domain.circuits import Gate
from antiphon.errors import MissingExtraError

NO_DEVICE = "no CUDA device"
FASTER = 0.7
"""The share of the processor's time that a GPU may take at most, at two widths running, to be worth the way there."""

NARROWEST = 12
"""No GPU is asked about narrower states."""

_WIDEST_TIMED, _WIDEST = 25, 40
_LAYERS, _SHOTS = 2, 100
_LONG_ENOUGH = 1.0


def main() -> None:
    """Print what was found."""
    print(json.dumps(looked()))


def looked() -> dict[str, Any]:
    """What there is, and from which width on it is faster than the processor."""
    try:
        bindings = GpuState.bindings()
    except MissingExtraError as error:
        return {"why": f"{error.message} {error.__cause__ or ''}".strip()}
    try:
        if not bindings.DevPool.getTotalDevices():
            return {"why": NO_DEVICE}
        if not bindings.is_gpu_supported():
            capability = ".".join(str(part) for part in bindings.get_gpu_arch())
            return {"why": f"the CUDA device has compute capability {capability}, which is not supported"}
    except RuntimeError as error:  # how the bindings say that there is no driver
        return {"why": f"{NO_DEVICE}: {str(error).rpartition(': ')[2]}"}
    if not agrees_with_numpy(GpuState):
        return {"why": "pennylane-lightning-gpu failed its self-test against NumPy"}
    return {name: _measured(single=name == "single") for name in ("single", "double")}


def _measured(*, single: bool) -> dict[str, Any]:
    from_qubits = None
    last = (NARROWEST, 0.0)
    narrow = _seconds(GpuState, NARROWEST, single=single)
    before = False
    for width in range(NARROWEST, _WIDEST_TIMED + 1):
        there, here = (_seconds(kind, width, single=single) for kind in (GpuState, LightningState))
        last = (width, there)
        faster = there <= FASTER * here
        if faster and before:
            from_qubits = width - 1
        before = faster
        if from_qubits is not None or here > _LONG_ENOUGH:
            break
    width, seconds = last
    return {
        "from_qubits": from_qubits,
        "most_qubits": _most_qubits(single=single),
        "gate_s": narrow / _num_gates(NARROWEST),
        "amplitude_s": max(seconds - narrow, 0.0) / _num_gates(width) / 2**width,
    }


def _gates(width: int) -> list[Gate]:
    turns = [Gate("ry", (qubit,), (0.3 + qubit,)) for qubit in range(width)]
    pairs = [Gate("cx", (qubit, qubit + 1), ()) for qubit in range(width - 1)]
    return _LAYERS * (turns + pairs)


def _num_gates(width: int) -> int:
    return _LAYERS * (2 * width - 1)


def _seconds(kind: type[LightningState], width: int, *, single: bool) -> float:
    """The shorter of two runs of the same circuit and its shots; the first of them may have to wake what is asleep."""
    tape = tape_of(_gates(width), width, single=single, kind=kind)
    (row,) = tape.parameters.rows(np.zeros((1, 0)))
    state = kind(width, single=single)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        state.reset()
        state.run(tape.calls, row)
        state.draw(_SHOTS, np.random.default_rng(1))
        times.append(time.perf_counter() - started)
    return min(times)


def _most_qubits(*, single: bool) -> int:
    """The widest state that can be made now, less one for the room that measuring it takes."""
    width = NARROWEST
    while width < _WIDEST:
        try:
            GpuState(width + 1, single=single)
        except (RuntimeError, MemoryError):
            break
        width += 1
    return width - 1


if __name__ == "__main__":
    main()
