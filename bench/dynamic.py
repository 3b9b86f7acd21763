"""Programs that measure and go on, each written in three SDKs and run beside that SDK's own simulator."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import cirq
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

from bench.cirq_sides import KEY, counts_of_rows
from bench.measure import Row, Side, compare
from bench.ours import fresh_lab
from bench.registry import Settings, case
from bench.sampling import AER, CIRQ, Counts, aer_counts, check_marginals, repeated, unwarmed

SHOTS = 1000
QSHARP = "qsharp.run"
STATE = 0.7
"""Angle of the state that is teleported or protected."""
SLIP = 0.4
"""Angle by which each round of the code turns one of its qubits over."""

_SYNDROMES = ((1, 0), (1, 1), (0, 1))  # what the two parity checks say when qubit 0, 1, 2 is wrong


def qiskit_teleport() -> QuantumCircuit:
    """Teleportation with both corrections under classical control."""
    qubits, middle, out = QuantumRegister(3), ClassicalRegister(2), ClassicalRegister(1)
    circuit = QuantumCircuit(qubits, middle, out)
    circuit.ry(STATE, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], middle)
    with circuit.if_test((middle[1], 1)):
        circuit.x(2)
    with circuit.if_test((middle[0], 1)):
        circuit.z(2)
    circuit.measure(2, out[0])
    return circuit


def qiskit_code() -> QuantumCircuit:
    """Three rounds of the three-qubit repetition code: a slip, two parities, the correction that they call for."""
    qubits, checks, out = QuantumRegister(5), ClassicalRegister(2), ClassicalRegister(3)
    circuit = QuantumCircuit(qubits, checks, out)
    circuit.ry(STATE, 0)
    circuit.cx(0, 1)
    circuit.cx(0, 2)
    for turn in range(3):
        circuit.ry(SLIP, turn)
        for ancilla, pair in ((3, (0, 1)), (4, (1, 2))):
            circuit.reset(ancilla)
            for data in pair:
                circuit.cx(data, ancilla)
        circuit.measure([3, 4], checks)
        for data, (first, second) in enumerate(_SYNDROMES):
            with circuit.if_test((checks, first + 2 * second)):
                circuit.x(data)
    circuit.measure([0, 1, 2], out)
    return circuit


def cirq_teleport() -> cirq.Circuit:
    """The same in Cirq's classical controls."""
    a, b, c = cirq.LineQubit.range(3)
    return cirq.Circuit(
        cirq.ry(STATE)(a),
        cirq.H(b),
        cirq.CNOT(b, c),
        cirq.CNOT(a, b),
        cirq.H(a),
        cirq.measure(a, key="z"),
        cirq.measure(b, key="x"),
        cirq.X(c).with_classical_controls("x"),
        cirq.Z(c).with_classical_controls("z"),
        cirq.measure(c, key=KEY),
    )


def cirq_code() -> cirq.Circuit:
    """The same in Cirq: a correction takes a product of keys, each of them or of its opposite."""
    import sympy

    data, ancillas = cirq.LineQubit.range(3), cirq.LineQubit.range(3, 5)
    circuit = cirq.Circuit(cirq.ry(STATE)(data[0]), cirq.CNOT(data[0], data[1]), cirq.CNOT(data[0], data[2]))
    for turn in range(3):
        circuit.append(cirq.ry(SLIP)(data[turn]))
        keys = [f"first{turn}", f"second{turn}"]
        for ancilla, pair, key in zip(ancillas, ((0, 1), (1, 2)), keys, strict=True):
            circuit.append([cirq.reset(ancilla), *(cirq.CNOT(data[place], ancilla) for place in pair)])
            circuit.append(cirq.measure(ancilla, key=key))
        symbols = [sympy.Symbol(key) for key in keys]
        for place, syndrome in enumerate(_SYNDROMES):
            wanted = [sympy.Eq(symbol, bit) for symbol, bit in zip(symbols, syndrome, strict=True)]
            circuit.append(cirq.X(data[place]).with_classical_controls(*wanted))
    circuit.append(cirq.measure(*reversed(data), key=KEY))
    return circuit


QSHARP_TELEPORT = f"""operation Main() : Result {{
    use (a, b, c) = (Qubit(), Qubit(), Qubit());
    Ry({STATE}, a); H(b); CNOT(b, c); CNOT(a, b); H(a);
    if MResetZ(b) == One {{ X(c); }}
    if MResetZ(a) == One {{ Z(c); }}
    return MResetZ(c); }}"""

QSHARP_CODE = f"""operation Main() : Result[] {{
    use (data, first, second) = (Qubit[3], Qubit(), Qubit());
    Ry({STATE}, data[0]); CNOT(data[0], data[1]); CNOT(data[0], data[2]);
    for turn in 0..2 {{
        Ry({SLIP}, data[turn]);
        CNOT(data[0], first); CNOT(data[1], first); CNOT(data[1], second); CNOT(data[2], second);
        let left = MResetZ(first); let right = MResetZ(second);
        if left == One and right == Zero {{ X(data[0]); }}
        if left == One and right == One {{ X(data[1]); }}
        if left == Zero and right == One {{ X(data[2]); }}
    }}
    return MResetEachZ(data); }}"""


def cirq_native(circuit: cirq.Circuit) -> Counts:
    """Counts by `cirq.Simulator(seed=…).run`."""

    def run(_: Any, seed: int) -> Mapping[str, int]:
        return counts_of_rows(cirq.Simulator(seed=seed).run(circuit, repetitions=SHOTS).measurements[KEY])

    return run


def qsharp_native(source: str) -> tuple[Counts, Any]:
    """Counts by `qsharp.run` on the QDK's own simulator, and the program compiled, as one submits it."""
    os.environ["QDK_PYTHON_TELEMETRY"] = "none"
    from qdk import TargetProfile, qsharp

    qsharp.init(target_profile=TargetProfile.Adaptive_RI)
    qsharp.eval(source)

    def run(_: Any, seed: int) -> Mapping[str, int]:
        counted: Counter[str] = Counter()
        for found in qsharp.run("Main()", SHOTS, seed=seed):
            results = found if isinstance(found, list) else [found]
            counted["".join("1" if result == qsharp.Result.One else "0" for result in reversed(results))] += 1
        return counted

    return run, qsharp.compile("Main()")


def _last_register(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts of the register that was declared last, alone: what is measured on the way is no result."""
    merged: Counter[str] = Counter()
    for key, count in counts.items():
        merged[key.split()[0]] += count
    return dict(merged)


def _check(peer: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> None:
    check_marginals(peer, _last_register(ours), _last_register(theirs))


def _rows(name: str, program: Any, peer: str, side: Side, settings: Settings, repeats: int) -> list[Row]:
    with fresh_lab() as lab:
        target = lab.target

        def ours(_: Any, seed: int) -> Mapping[str, int]:
            counts: Mapping[str, int] = target.submit(program, shots=SHOTS, seed=seed).result().counts
            return counts

        return compare(
            name,
            "job",
            repeated(ours, 0, repeats),
            {peer: side},
            rounds=settings.rounds,
            check=_check,
            aims={peer: 0.3},
            at_most={CIRQ: 2},
            note=f"{SHOTS} shots; the same protocol in each SDK's own words, beside that SDK's own simulator",
        )


@case("dynamic")
def dynamic(settings: Settings) -> list[Row]:
    """Teleportation, and three rounds of a repetition code, from Qiskit, Cirq and Q#."""
    rows: list[Row] = []
    repeats = 1 if settings.quick else 5
    protocols: list[tuple[str, Callable[[], QuantumCircuit], Callable[[], cirq.Circuit], str]] = [
        ("teleport", qiskit_teleport, cirq_teleport, QSHARP_TELEPORT),
        ("repetition", qiskit_code, cirq_code, QSHARP_CODE),
    ]
    for name, in_qiskit, in_cirq, source in protocols:
        written = in_qiskit()
        aer = repeated(aer_counts(written, SHOTS), 0, repeats)
        rows += _rows(f"dynamic {name}, Qiskit", written, AER, aer, settings, repeats)
        native = in_cirq()
        rows += _rows(f"dynamic {name}, Cirq", native, CIRQ, unwarmed(cirq_native(native), 0), settings, repeats)
        run, compiled = qsharp_native(source)
        rows += _rows(f"dynamic {name}, Q#", compiled, QSHARP, repeated(run, 0, repeats), settings, repeats)
    return rows
