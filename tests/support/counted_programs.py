"""Repeat-until-success loops that count their attempts without a bound, in the languages that have integers.

The count is returned in one, decides gates in the other: the state of the second qubit is turned after every second
failure, and whether the number of attempts was even is in the outcome. Outcomes are (attempts, bit), worked out by
following the density matrix of the target from attempt to attempt; 8 stands for 8 attempts and more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

LANGUAGES = ("qsharp", "openqasm", "qiskit")
MANY = 8

Outcome = tuple[int, int]


@dataclass(frozen=True)
class Counted:
    """One program in all languages, with the exact distribution of its outcomes."""

    name: str
    exact: Mapping[str, float]
    write: Mapping[str, Callable[[], Any]]

    def counts(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Counts by outcome, "attempts bit", from those of any of the languages."""
        found: dict[str, int] = {}
        for text, shots in counts.items():
            attempts, bit = _read(text)
            key = f"{min(attempts, MANY)} {bit}"
            found[key] = found.get(key, 0) + shots
        return found


def _read(text: str) -> Outcome:
    qsharp = re.fullmatch(r"\((One|Zero), (\d+)\)", text)
    if qsharp is not None:
        return int(qsharp[2]), int(qsharp[1] == "One")
    attempts, bit = text.split()[:2]
    return int(attempts, 2), int(bit)


def _ry(angle: float) -> Any:
    c, s = math.cos(angle / 2), math.sin(angle / 2)
    return np.array([[c, -s], [s, c]], dtype=complex)


def _exact(*, turned: bool) -> dict[str, float]:
    h = np.array([[1, 1], [1, -1]], dtype=complex) / math.sqrt(2)
    t = np.diag([1, np.exp(0.25j * math.pi)])
    a, b = (t @ h)[:, 0]
    x = np.array([[0, 1], [1, 0]], dtype=complex)
    succeed, fail = (h[outcome, 0] * a * np.eye(2) + h[outcome, 1] * b * x for outcome in range(2))
    state = _ry(0.9)[:, :1]
    density = state @ state.conj().T
    found: dict[str, float] = {}
    for attempt in range(1, 400):
        for bit in (0, 1):
            after = succeed @ density @ succeed.conj().T
            key = f"{min(attempt, MANY)} {bit}"
            found[key] = found.get(key, 0.0) + float(after[bit, bit].real)
        turn = _ry(2.0) if not turned or attempt % 2 == 0 else np.eye(2)
        density = turn @ fail @ density @ fail.conj().T @ turn.conj().T
    return found


def _qsharp(*, turned: bool) -> Callable[[], bytes]:
    from qsharp_programs import compiled

    when = "failed and attempts % 2 == 0" if turned else "failed"
    return lambda: compiled(
        f"""operation Main() : (Result, Int) {{
            use (t, a) = (Qubit(), Qubit());
            Ry(0.9, t);
            mutable failed = true;
            mutable attempts = 0;
            while failed {{
                H(a); T(a); CNOT(a, t); H(a);
                failed = MResetZ(a) == One;
                attempts += 1;
                if {when} {{ Ry(2.0, t); }}
            }}
            return (MResetZ(t), attempts); }}""",
        "Adaptive",
    )


def _openqasm(*, turned: bool) -> Callable[[], str]:
    when = "failed && attempts % 2 == 0" if turned else "failed"
    return lambda: (
        f"""OPENQASM 3.0; include "stdgates.inc";
        qubit[2] q; output bit out; output bit[10] n;
        bit failed = true; uint[10] attempts = 0;
        ry(0.9) q[0];
        while (failed) {{
          reset q[1]; h q[1]; t q[1]; cx q[1], q[0]; h q[1];
          failed = measure q[1];
          attempts += 1;
          if ({when}) ry(2.0) q[0];
        }}
        n = bit[10](attempts);
        out = measure q[0];"""
    )


def _qiskit(*, turned: bool) -> Callable[[], Any]:
    def write() -> Any:
        from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
        from qiskit.circuit.classical import expr, types

        out, n, failed = ClassicalRegister(1, "out"), ClassicalRegister(10, "n"), ClassicalRegister(1, "failed")
        circuit = QuantumCircuit(QuantumRegister(2, "q"), failed, out, n)
        attempts = circuit.add_var("attempts", expr.lift(0, types.Uint(10)))
        circuit.ry(0.9, 0)
        circuit.store(failed[0], expr.lift(True))
        with circuit.while_loop((failed, 1)):
            circuit.reset(1)
            circuit.h(1)
            circuit.t(1)
            circuit.cx(1, 0)
            circuit.h(1)
            circuit.measure(1, failed[0])
            circuit.store(attempts, expr.add(attempts, expr.lift(1, types.Uint(10))))
            even = expr.logic_not(expr.index(attempts, expr.lift(0, types.Uint(4))))
            with circuit.if_test(expr.logic_and(failed[0], even) if turned else (failed, 1)):
                circuit.ry(2.0, 0)
        circuit.store(n, attempts)
        circuit.measure(0, out[0])
        return circuit

    return write


def _program(name: str, *, turned: bool) -> Counted:
    write = {
        "qsharp": _qsharp(turned=turned),
        "openqasm": _openqasm(turned=turned),
        "qiskit": _qiskit(turned=turned),
    }
    return Counted(name, _exact(turned=turned), write)


COUNTED = (_program("count-returned", turned=False), _program("count-decides", turned=True))
