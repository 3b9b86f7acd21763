"""Samples of a matrix product state, all shots side by side: site after site, each given the sites before it.

Aer draws one shot after the other, which takes most of the time that a state of low entanglement needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_CHUNK_BYTES = 32 * 2**20


def draw_bits(
    gammas: Sequence[Sequence[NDArray[Any]]], lambdas: Sequence[NDArray[Any]], shots: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Bits of shape (shots, qubits), qubit q in column q.

    Args:
        gammas: For each qubit the matrices of its outcomes 0 and 1, as Aer's `save_matrix_product_state` has them.
        lambdas: The Schmidt values between neighbours, one array fewer than qubits.
        shots: How many.
        rng: One number of it is drawn for each shot and qubit.
    """
    sites = _right_canonical(gammas, lambdas)
    widest = max(site.shape[1] * site.shape[2] for site in sites)
    chunk = max(1, _CHUNK_BYTES // (2 * 16 * max(widest, 1)))
    parts = [_drawn(sites, min(chunk, shots - done), rng) for done in range(0, shots, chunk)]
    return np.concatenate(parts) if parts else np.zeros((0, len(sites)), dtype=np.uint8)


def _right_canonical(
    gammas: Sequence[Sequence[NDArray[Any]]], lambdas: Sequence[NDArray[Any]]
) -> list[NDArray[np.complex128]]:
    """Tensors of shape (left, outcome, right) that are isometries from the left: what is right of a cut cancels.

    Truncation leaves Aer's own form short of that, so that it is made here and not taken on trust.
    """
    sites: list[NDArray[np.complex128]] = []
    carried = np.ones((1, 1), dtype=np.complex128)
    for place in reversed(range(len(gammas))):
        tensor = np.stack([np.asarray(matrix, dtype=np.complex128) for matrix in gammas[place]], axis=1)
        if place < len(lambdas):
            tensor = tensor * np.asarray(lambdas[place])[None, None, :]
        tensor = tensor @ carried
        left, _, right = tensor.shape
        orthonormal, rest = np.linalg.qr(tensor.reshape(left, 2 * right).conj().T)
        sites.append(orthonormal.conj().T.reshape(-1, 2, right))
        carried = rest.conj().T
    return sites[::-1]


def _drawn(sites: Sequence[NDArray[np.complex128]], shots: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    bits = np.empty((shots, len(sites)), dtype=np.uint8)
    states = np.ones((shots, 1), dtype=np.complex128)
    for place, site in enumerate(sites):
        left, _, right = site.shape
        both = (states @ site.reshape(left, 2 * right)).reshape(shots, 2, right)
        chances = np.einsum("sor,sor->so", both.real, both.real) + np.einsum("sor,sor->so", both.imag, both.imag)
        total = chances.sum(axis=1)
        chosen = (rng.random(shots) * total >= chances[:, 0]).astype(np.uint8)
        bits[:, place] = chosen
        states = both[np.arange(shots), chosen]
        states /= np.sqrt(chances[np.arange(shots), chosen])[:, None]
    return bits
