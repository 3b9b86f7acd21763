"""Memory admission: what a state of n qubits takes, what this machine has, and the refusal of what does not fit."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import psutil

from antiphon.errors import LimitError

USABLE = 0.8  # the share of available memory one program may plan for; the rest is the process and its neighbours
_FREE_BYTES = 64 * 2**20  # too little to be worth a look at the machine
_CGROUP = Path("/sys/fs/cgroup")
_FRESH_S = 1.0

# Bytes for each basis state: amplitudes, probabilities and their running sum in double precision.
SAMPLE_BYTES = {"single": 8 + 8 + 8, "double": 16 + 8 + 8}
EXACT_BYTES = {"single": 8 + 8 + 8, "double": 16 + 8 + 8}
AER_BYTES = 16 + 8 + 8
QSIM_BYTES = 8 + 8 + 8 + 8  # the engine's state and the copy it returns
DENSITY_BYTES = 2 * 16  # for each of 4^n entries: the engine's matrix and the copy it returns

_seen: tuple[float, int] = (-math.inf, 0)


@cache
def total_memory() -> int:
    """Memory of this machine or container in bytes."""
    return min(int(psutil.virtual_memory().total), _cgroup("memory.max") or 2**62)


def available_memory() -> int:
    """Memory that can be had now in bytes, at most a second old."""
    global _seen
    now = time.monotonic()
    if now - _seen[0] > _FRESH_S:
        free = int(psutil.virtual_memory().available)
        limit, used = _cgroup("memory.max"), _cgroup("memory.current")
        if limit is not None and used is not None:
            free = min(free, limit - used)
        _seen = (now, free)
    return _seen[1]


def _cgroup(name: str) -> int | None:
    try:
        text = (_CGROUP / name).read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def widest(bytes_of_state: int, *, per_qubit: int = 1) -> int:
    """Most qubits whose 2^(per_qubit·n) entries fit into the usable share of this machine's whole memory."""
    return int(math.log2(total_memory() * USABLE / bytes_of_state) / per_qubit)


def fits(needed: int) -> bool:
    """Whether `needed` bytes can be had now."""
    return needed <= _FREE_BYTES or needed <= available_memory() * USABLE


def too_wide(what: str, num_qubits: int, needed: int, alternatives: Sequence[str]) -> LimitError:
    """The refusal of a program that does not fit: width, memory needed and available, and the ways out."""
    available = int(available_memory() * USABLE)
    return LimitError(
        f"A program on {num_qubits} qubits is too wide for {what} on this machine.",
        code="memory-exceeded",
        cause=f"it needs {_gib(needed)} of memory; {_gib(available)} of what is available may be used",
        next_step=" ".join(alternatives),
        details={"num_qubits": num_qubits, "needed_bytes": needed, "available_bytes": available},
    )


def _gib(size: int) -> str:
    gib = size / 2**30
    return f"{gib:.3g} GiB" if gib < 1e6 else f"2^{math.log2(size):.0f} bytes"
