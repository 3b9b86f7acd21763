"""Lightning's state vector on a GPU: the same bindings on cuStateVec, and what is better done where the state lies.

Shots and Pauli sums are computed on the device, so that no array of 2^n numbers is brought to the host for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from antiphon.adapters.targets.sim.engines.lightning_state import LightningState
from antiphon.errors import MissingExtraError

DRAWS_THERE_FROM_QUBITS = 20
"""Below, the probabilities are brought over and shots drawn from them as on a processor: the copy is small."""


@cache
def _bindings() -> Any:
    try:
        from pennylane_lightning import lightning_gpu_ops
    except ImportError as error:
        raise MissingExtraError.of("pennylane-lightning-gpu", "gpu", "The state-vector engine lightning-gpu") from error
    return lightning_gpu_ops


class GpuState(LightningState):
    """A state vector on the first CUDA device. For one thread at a time."""

    sums_paulis: ClassVar[bool] = True

    @classmethod
    def bindings(cls) -> Any:
        """The module of the bindings.

        Raises:
            MissingExtraError: It is not installed, or a library that it needs is not.
        """
        return _bindings()

    def copy_from(self, other: Self) -> None:
        """Take over the amplitudes of a state of the same width and precision, without a way through the host."""
        self.raw.DeviceToDevice(other.raw, False)  # not asynchronous

    def draw(self, shots: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Measure all qubits `shots` times: the distinct outcomes in rising order, and how often each came."""
        if self.num_qubits < DRAWS_THERE_FROM_QUBITS:
            return super().draw(shots, rng)
        self._measurements.set_random_seed(int(rng.integers(2**31)))
        bits = self._measurements.generate_samples(self.num_qubits, shots).reshape(shots, self.num_qubits)
        values = bits.astype(np.int64) @ (1 << np.arange(self.num_qubits, dtype=np.int64))[::-1]
        outcomes, times = np.unique(values, return_counts=True)
        return outcomes, times

    def expectation(self, indptr: NDArray[Any], indices: NDArray[Any], data: NDArray[Any]) -> float:
        """⟨H⟩ of a Hermitian matrix in compressed rows, in the state's own precision."""
        return float(self._measurements.expval(indptr.astype(np.int32), indices.astype(np.int32), data))

    def pauli_sum(self, words: Sequence[str], qubits: Sequence[Sequence[int]], weights: Sequence[float]) -> float:
        """⟨Σ weight · word⟩, each word's letters on its qubits in order."""
        wires = [[self.num_qubits - 1 - qubit for qubit in places] for places in qubits]
        return float(self._measurements.expval(list(words), wires, np.asarray(weights, dtype=self.dtype)))
