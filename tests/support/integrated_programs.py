"""Five protocols that compute while their qubits live, each in four languages and worked out by hand.

A reading makes the outcome of each language comparable: the result string of the protocol's own registers, whatever
else the language has to return for it. `LIMITS` says what a language cannot say, and how the protocol is said instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import chi2_contingency

LANGUAGES = ("qsharp", "openqasm", "qiskit", "cirq")

LIMITS = {
    ("counted-corrections", "cirq"): "Cirq has no classical variables: the syndromes are returned and counted outside",
    ("bayesian", "cirq"): "Cirq has no floating point: each history of bits controls a rotation of its own",
    ("bayesian", "qiskit"): "Qiskit's gates take no run-time angle: a switch on the bits chooses among constants",
    ("phase-estimation", "cirq"): "Cirq has no floating point: each earlier bit controls a rotation of its own",
    ("phase-estimation", "qiskit"): "Qiskit's gates take no run-time angle: each earlier bit controls a rotation",
}

Reading = Callable[[str], str]


def _plain(text: str) -> str:
    return text


@dataclass(frozen=True)
class Protocol:
    """One protocol.

    Attributes:
        name: Of the protocol.
        exact: Probability of every outcome, worked out without any of the programs.
        write: Makes the program in one language.
        readings: Outcome of a language to the protocol's own, where they differ.
        wrong: A piece of the OpenQASM text, and what makes a mistake of it.
    """

    name: str
    exact: Mapping[str, float]
    write: Mapping[str, Callable[[], Any]]
    wrong: tuple[str, str]
    readings: Mapping[str, Reading]

    def counts(self, language: str, counts: Mapping[str, int]) -> dict[str, int]:
        """Counts of the protocol's outcomes from those of the program in one language."""
        read = self.readings.get(language, _plain)
        found: dict[str, int] = {}
        for text, shots in counts.items():
            found[read(text)] = found.get(read(text), 0) + shots
        return found

    def mistaken(self) -> str:
        """The OpenQASM program with a mistake in it."""
        text = str(self.write["openqasm"]())
        assert self.wrong[0] in text
        return text.replace(self.wrong[0], self.wrong[1])


def same_distribution(first: Mapping[str, int], second: Mapping[str, int]) -> float:
    """The p-value of a chi-square test of two samples; outcomes seen less than ten times are pooled."""
    columns, rare = [], [0, 0]
    for key in sorted({*first, *second}):
        seen = [first.get(key, 0), second.get(key, 0)]
        if sum(seen) >= 10:
            columns.append(seen)
        else:
            rare = [total + count for total, count in zip(rare, seen, strict=True)]
    if sum(rare) >= 10:
        columns.append(rare)
    return float(chi2_contingency(columns, correction=False).pvalue) if len(columns) > 1 else 1.0


def _qsharp(text: str, profile: str) -> Callable[[], bytes]:
    from qsharp_programs import compiled

    return lambda: compiled(text, profile)


def _qasm(body: str) -> Callable[[], str]:
    return lambda: f'OPENQASM 3.0;\ninclude "stdgates.inc";\n{body}'


def _ry(angle: float) -> Any:
    c, s = math.cos(angle / 2), math.sin(angle / 2)
    return np.array([[c, -s], [s, c]], dtype=complex)


def _rx(angle: float) -> Any:
    c, s = math.cos(angle / 2), math.sin(angle / 2)
    return np.array([[c, -1j * s], [-1j * s, c]], dtype=complex)


def _rz(angle: float) -> Any:
    return np.diag([np.exp(-0.5j * angle), np.exp(0.5j * angle)])


# --- Teleportation ----------------------------------------------------------------------------------------------------


def _teleport_exact() -> dict[str, float]:
    one = abs((_rx(0.8) @ _rz(0.5) @ _ry(1.1))[1, 0]) ** 2
    return {"0": 1 - one, "1": one}


def _teleport_qiskit() -> Any:
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    sent, out = ClassicalRegister(2, "sent"), ClassicalRegister(1, "out")
    circuit = QuantumCircuit(QuantumRegister(3, "q"), sent, out)
    circuit.ry(1.1, 0)
    circuit.rz(0.5, 0)
    circuit.h(1)
    circuit.cx(1, 2)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.measure([0, 1], sent)
    with circuit.if_test((sent[1], 1)):
        circuit.x(2)
    with circuit.if_test((sent[0], 1)):
        circuit.z(2)
    circuit.rx(0.8, 2)
    circuit.measure(2, out[0])
    return circuit


def _teleport_cirq() -> Any:
    import cirq

    q = cirq.LineQubit.range(3)
    return cirq.Circuit(
        cirq.ry(1.1)(q[0]),
        cirq.rz(0.5)(q[0]),
        cirq.H(q[1]),
        cirq.CNOT(q[1], q[2]),
        cirq.CNOT(q[0], q[1]),
        cirq.H(q[0]),
        cirq.measure(q[0], key="phase"),
        cirq.measure(q[1], key="flip"),
        cirq.X(q[2]).with_classical_controls("flip"),
        cirq.Z(q[2]).with_classical_controls("phase"),
        cirq.rx(0.8)(q[2]),
        cirq.measure(q[2], key="out"),
    )


TELEPORTATION = Protocol(
    "teleportation",
    _teleport_exact(),
    {
        "qsharp": _qsharp(
            """operation Main() : Result {
                use (m, a, b) = (Qubit(), Qubit(), Qubit());
                Ry(1.1, m); Rz(0.5, m);
                H(a); CNOT(a, b); CNOT(m, a); H(m);
                if MResetZ(a) == One { X(b); }
                if MResetZ(m) == One { Z(b); }
                Rx(0.8, b);
                return MResetZ(b); }""",
            "Adaptive_RI",
        ),
        "openqasm": _qasm("""qubit[3] q; bit[2] sent; output bit out;
            ry(1.1) q[0]; rz(0.5) q[0];
            h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0];
            sent = measure q[0:1];
            if (sent[1]) x q[2];
            if (sent[0]) z q[2];
            rx(0.8) q[2];
            out = measure q[2];"""),
        "qiskit": _teleport_qiskit,
        "cirq": _teleport_cirq,
    },
    ("if (sent[0]) z q[2];", ""),
    {"qiskit": lambda text: text.split()[0], "cirq": lambda text: text.split()[0]},
)


# --- Repeat until success ---------------------------------------------------------------------------------------------


def _success_exact() -> dict[str, float]:
    """The sum over all numbers of failures: each turn maps the target's state by one of two Kraus operators."""
    h = np.array([[1, 1], [1, -1]], dtype=complex) / math.sqrt(2)
    t = np.diag([1, np.exp(0.25j * math.pi)])
    a, b = (t @ h)[:, 0]  # the ancilla before it controls an X on the target
    x = np.array([[0, 1], [1, 0]], dtype=complex)
    after = [h[outcome, 0] * a * np.eye(2) + h[outcome, 1] * b * x for outcome in range(2)]
    succeed, fail = after[0], _rz(0.4) @ after[1]
    state = _ry(0.9)[:, :1]
    density, total = state @ state.conj().T, np.zeros((2, 2), dtype=complex)
    for _ in range(400):
        total = total + succeed @ density @ succeed.conj().T
        density = fail @ density @ fail.conj().T
    turned = _rx(0.7) @ total @ _rx(0.7).conj().T
    return {"0": float(turned[0, 0].real), "1": float(turned[1, 1].real)}


def _success_qiskit() -> Any:
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    tried, out = ClassicalRegister(1, "tried"), ClassicalRegister(1, "out")
    circuit = QuantumCircuit(QuantumRegister(2, "q"), tried, out)

    def attempt() -> None:
        circuit.reset(1)
        circuit.h(1)
        circuit.t(1)
        circuit.cx(1, 0)
        circuit.h(1)
        circuit.measure(1, tried[0])

    circuit.ry(0.9, 0)
    attempt()
    with circuit.while_loop((tried[0], 1)):
        circuit.rz(0.4, 0)
        attempt()
    circuit.rx(0.7, 0)
    circuit.measure(0, out[0])
    return circuit


def _success_cirq() -> Any:
    import cirq
    import sympy

    target, ancilla = cirq.LineQubit.range(2)
    # The turn is undone in front of the first attempt, so that it acts after failures alone.
    attempt = cirq.FrozenCircuit(
        cirq.rz(0.4)(target),
        cirq.reset(ancilla),
        cirq.H(ancilla),
        cirq.T(ancilla),
        cirq.CNOT(ancilla, target),
        cirq.H(ancilla),
        cirq.measure(ancilla, key="tried"),
    )
    until = cirq.SympyCondition(sympy.Eq(sympy.Symbol("tried"), 0))
    return cirq.Circuit(
        cirq.ry(0.9)(target),
        cirq.rz(-0.4)(target),
        cirq.CircuitOperation(attempt, use_repetition_ids=False, repeat_until=until),
        cirq.rx(0.7)(target),
        cirq.measure(target, key="out"),
    )


REPEAT_UNTIL_SUCCESS = Protocol(
    "repeat-until-success",
    _success_exact(),
    {
        "qsharp": _qsharp(
            """operation Main() : Result {
                use (t, a) = (Qubit(), Qubit());
                Ry(0.9, t);
                mutable failed = true;
                while failed {
                    H(a); T(a); CNOT(a, t); H(a);
                    failed = MResetZ(a) == One;
                    if failed { Rz(0.4, t); }
                }
                Rx(0.7, t);
                return MResetZ(t); }""",
            "Adaptive",
        ),
        "openqasm": _qasm("""qubit[2] q; output bit out; bit failed = true;
            ry(0.9) q[0];
            while (failed) {
              reset q[1]; h q[1]; t q[1]; cx q[1], q[0]; h q[1];
              failed = measure q[1];
              if (failed) rz(0.4) q[0];
            }
            rx(0.7) q[0];
            out = measure q[0];"""),
        "qiskit": _success_qiskit,
        "cirq": _success_cirq,
    },
    ("h q[1]; t q[1];", "h q[1];"),
    {"qiskit": lambda text: text.split()[0], "cirq": lambda text: text.split()[0]},
)


# --- Iterative phase estimation ---------------------------------------------------------------------------------------

PHASE, DIGITS = 0.3, 3


def _phase_exact() -> dict[str, float]:
    """Digit by digit: each is 1 with the chance that the phase left over gives."""
    found: dict[str, float] = {}
    for word in range(2**DIGITS):
        chance, known = 1.0, 0.0
        for step in range(DIGITS):
            angle = 2 * math.pi * PHASE * 2 ** (DIGITS - 1 - step) - known
            one = math.sin(angle / 2) ** 2
            bit = word >> step & 1
            chance *= one if bit else 1 - one
            known = known / 2 + bit * math.pi / 2
        found[f"{word:0{DIGITS}b}"] = chance
    return found


def _phase_qiskit() -> Any:
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    digits = ClassicalRegister(DIGITS, "digits")
    circuit = QuantumCircuit(QuantumRegister(2, "q"), digits)
    circuit.x(1)
    for step in range(DIGITS):
        circuit.reset(0)
        circuit.h(0)
        circuit.cp(2 * math.pi * PHASE * 2 ** (DIGITS - 1 - step), 0, 1)
        for earlier in range(step):
            with circuit.if_test((digits[earlier], 1)):
                circuit.p(-math.pi / 2 ** (step - earlier), 0)
        circuit.h(0)
        circuit.measure(0, digits[step])
    return circuit


def _phase_cirq() -> Any:
    import cirq

    ancilla, target = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.X(target))
    for step in range(DIGITS):
        circuit.append([cirq.reset(ancilla), cirq.H(ancilla)])
        circuit.append(cirq.CZ(ancilla, target) ** (2 * PHASE * 2 ** (DIGITS - 1 - step)))
        for earlier in range(step):
            turn = cirq.Z(ancilla) ** (-1 / 2 ** (step - earlier))
            circuit.append(turn.with_classical_controls(f"digit{earlier}"))
        circuit.append([cirq.H(ancilla), cirq.measure(ancilla, key=f"digit{step}")])
    return circuit


PHASE_ESTIMATION = Protocol(
    "phase-estimation",
    _phase_exact(),
    {
        "qsharp": _qsharp(
            """operation Main() : Result[] {
                use (a, t) = (Qubit(), Qubit()); X(t);
                mutable results = []; mutable known = 0.0;
                for step in 0..2 {
                    H(a);
                    Controlled R1([a], (2.0 * 3.141592653589793 * 0.3 * Std.Convert.IntAsDouble(2^(2 - step)), t));
                    R1(-known, a);
                    H(a);
                    let r = MResetZ(a);
                    results += [r];
                    known = known / 2.0;
                    if r == One { known += 3.141592653589793 / 2.0; }
                }
                Reset(t);
                return results; }""",
            "Adaptive_RIF",
        ),
        "openqasm": _qasm("""qubit[2] q; bit[3] digits; float known = 0.0;
            x q[1];
            for int step in [0:2] {
              reset q[0]; h q[0];
              cp(2 * pi * 0.3 * 2 ** (2 - step)) q[0], q[1];
              p(-known) q[0];
              h q[0];
              digits[step] = measure q[0];
              known = known / 2;
              if (digits[step]) known += pi / 2;
            }"""),
        "qiskit": _phase_qiskit,
        "cirq": _phase_cirq,
    },
    ("p(-known) q[0];", "p(known) q[0];"),
    {"cirq": lambda text: text.replace(" ", "")},
)


# --- The three-qubit repetition code, with counted corrections --------------------------------------------------------

ERROR, LAST = 1.3, 0.6


def _code_exact() -> dict[str, float]:
    """Errors of the first two qubits are found, corrected and counted; one of the last is not looked for."""
    found: dict[str, float] = {}
    error, last = math.sin(ERROR / 2) ** 2, math.sin(LAST / 2) ** 2
    for first in (0, 1):
        for second in (0, 1):
            chance = (error if first else 1 - error) * (error if second else 1 - error)
            for bit in (0, 1):
                key = f"{first + second:02b} {bit}00"
                found[key] = found.get(key, 0.0) + chance * (last if bit else 1 - last)
    return found


def _code_qiskit() -> Any:
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
    from qiskit.circuit.classical import expr, types

    data, count, syndrome = ClassicalRegister(3, "data"), ClassicalRegister(2, "count"), ClassicalRegister(2, "s")
    circuit = QuantumCircuit(QuantumRegister(5, "q"), data, count, syndrome)
    corrections = circuit.add_var("corrections", expr.lift(0, types.Uint(2)))

    def corrected(qubit: int) -> None:
        circuit.x(qubit)
        circuit.store(corrections, expr.add(corrections, expr.lift(1, types.Uint(2))))

    for step in range(2):
        circuit.rx(ERROR, step)
        circuit.reset([3, 4])
        for source, target in ((0, 3), (1, 3), (1, 4), (2, 4)):
            circuit.cx(source, target)
        circuit.measure([3, 4], syndrome)
        with circuit.switch(syndrome) as case:
            for value, qubit in ((1, 0), (3, 1), (2, 2)):
                with case(value):
                    corrected(qubit)
    circuit.rx(LAST, 2)
    circuit.measure([0, 1, 2], data)
    circuit.store(count, corrections)
    return circuit


def _code_cirq() -> Any:
    import cirq
    import sympy

    q = cirq.LineQubit.range(5)
    circuit = cirq.Circuit()
    for step in range(2):
        circuit.append([cirq.rx(ERROR)(q[step]), cirq.reset_each(q[3], q[4])])
        circuit.append(cirq.CNOT(q[source], q[target]) for source, target in ((0, 3), (1, 3), (1, 4), (2, 4)))
        circuit.append([cirq.measure(q[3], key=f"left{step}"), cirq.measure(q[4], key=f"right{step}")])
        left, right = sympy.Symbol(f"left{step}"), sympy.Symbol(f"right{step}")
        for first, second, qubit in ((1, 0, 0), (1, 1, 1), (0, 1, 2)):
            both = sympy.And(sympy.Eq(left, first), sympy.Eq(right, second))
            circuit.append(cirq.X(q[qubit]).with_classical_controls(cirq.SympyCondition(both)))
    circuit.append([cirq.rx(LAST)(q[2]), cirq.measure(*q[:3], key="data")])
    return circuit


def _code_from_cirq(text: str) -> str:
    data, right1, left1, right0, left0 = text.split()
    count = ("1" in left0 + right0) + ("1" in left1 + right1)
    return f"{count:02b} {data}"


def _code_from_qsharp(text: str) -> str:
    bits, _, count = text.strip("()").rpartition(", ")
    word = "".join("1" if bit == "One" else "0" for bit in bits.strip("[]").split(", "))
    return f"{int(count):02b} {word[::-1]}"


COUNTED_CORRECTIONS = Protocol(
    "counted-corrections",
    _code_exact(),
    {
        "qsharp": _qsharp(
            f"""operation Main() : (Result[], Int) {{
                use (d, a) = (Qubit[3], Qubit[2]);
                mutable corrections = 0;
                for step in 0..1 {{
                    Rx({ERROR}, d[step]);
                    CNOT(d[0], a[0]); CNOT(d[1], a[0]); CNOT(d[1], a[1]); CNOT(d[2], a[1]);
                    let (left, right) = (MResetZ(a[0]) == One, MResetZ(a[1]) == One);
                    if left or right {{ corrections += 1; }}
                    if left and not right {{ X(d[0]); }}
                    elif left and right {{ X(d[1]); }}
                    elif right {{ X(d[2]); }}
                }}
                Rx({LAST}, d[2]);
                return (MResetEachZ(d), corrections); }}""",
            "Adaptive_RI",
        ),
        "openqasm": _qasm(f"""qubit[3] d; qubit[2] a; output bit[3] data; output bit[2] count; bit[2] s;
            uint[2] corrections = 0;
            for int step in [0:1] {{
              rx({ERROR}) d[step];
              reset a;
              cx d[0], a[0]; cx d[1], a[0]; cx d[1], a[1]; cx d[2], a[1];
              s = measure a;
              if (s != 0) corrections += 1;
              switch (s) {{
                case 1 {{ x d[0]; }}
                case 3 {{ x d[1]; }}
                case 2 {{ x d[2]; }}
              }}
            }}
            rx({LAST}) d[2];
            data = measure d;
            count = corrections;"""),
        "qiskit": _code_qiskit,
        "cirq": _code_cirq,
    },
    ("case 3 { x d[1]; }", "case 3 { x d[2]; }"),
    {"qsharp": _code_from_qsharp, "cirq": _code_from_cirq, "qiskit": lambda text: text.split(" ", 1)[1]},
)


# --- Adaptive Bayesian phase estimation -------------------------------------------------------------------------------

TRUE_PHASE, MEAN, WIDTH, ROUNDS = 1.3, 0.7951, 0.6065, 3


def _bayes_turns(bits: list[int]) -> list[tuple[float, float]]:
    """For each round of a history, the angles that are turned: back by the guess, and forward by the phase."""
    mean, width, turns = MEAN, WIDTH, []
    for bit in bits:
        turns.append(((mean - math.pi * width / 2) / width, TRUE_PHASE / width))
        mean += width * 0.6065 * (1 if bit else -1)
        width *= 0.7951
    return turns


def _bayes_exact() -> dict[str, float]:
    found: dict[str, float] = {}
    for word in range(2**ROUNDS):
        bits = [word >> place & 1 for place in range(ROUNDS)]
        chance = 1.0
        for bit, (back, forward) in zip(bits, _bayes_turns(bits), strict=True):
            one = math.sin((forward / 2 - back) / 2) ** 2
            chance *= one if bit else 1 - one
        found[f"{word:0{ROUNDS}b}"] = chance
    return found


def _bayes_qiskit() -> Any:
    from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister

    seen = ClassicalRegister(ROUNDS, "seen")
    circuit = QuantumCircuit(QuantumRegister(2, "q"), seen)
    circuit.x(1)
    for step in range(ROUNDS):
        circuit.reset(0)
        circuit.h(0)
        with circuit.switch(seen) as case:
            for word in range(2**step):
                bits = [word >> place & 1 for place in range(step + 1)]
                with case(word):
                    circuit.rz(-_bayes_turns(bits)[step][0], 0)
        circuit.crz(_bayes_turns([0] * (step + 1))[step][1], 0, 1)
        circuit.h(0)
        circuit.measure(0, seen[step])
    return circuit


def _bayes_cirq() -> Any:
    import cirq
    import sympy

    ancilla, target = cirq.LineQubit.range(2)
    circuit = cirq.Circuit(cirq.X(target))
    for step in range(ROUNDS):
        circuit.append([cirq.reset(ancilla), cirq.H(ancilla)])
        for word in range(2**step):
            bits = [word >> place & 1 for place in range(step + 1)]
            turn = cirq.rz(-_bayes_turns(bits)[step][0])(ancilla)
            for place in range(step):
                turn = turn.with_classical_controls(
                    cirq.SympyCondition(sympy.Eq(sympy.Symbol(f"seen{place}"), bits[place]))
                )
            circuit.append(turn)
        circuit.append(cirq.rz(_bayes_turns([0] * (step + 1))[step][1])(target).controlled_by(ancilla))
        circuit.append([cirq.H(ancilla), cirq.measure(ancilla, key=f"seen{step}")])
    return circuit


def _bayes_from_qsharp(text: str) -> str:
    bits, _, mean = text.strip("()").rpartition(", ")
    word = [1 if bit == "One" else 0 for bit in bits.strip("[]").split(", ")]
    expected, width = MEAN, WIDTH
    for bit in word:
        expected += width * 0.6065 * (1 if bit else -1)
        width *= 0.7951
    assert abs(float(mean) - expected) < 1e-12, "the mean that it returns is not the one of its bits"
    return "".join(map(str, reversed(word)))


BAYESIAN = Protocol(
    "bayesian",
    _bayes_exact(),
    {
        "qsharp": _qsharp(
            f"""operation Main() : (Result[], Double) {{
                use (a, t) = (Qubit(), Qubit()); X(t);
                mutable mean = {MEAN}; mutable width = {WIDTH}; mutable seen = [];
                for _ in 1..{ROUNDS} {{
                    H(a);
                    Rz(-(mean - {math.pi!r} * width / 2.0) / width, a);
                    Controlled Rz([a], ({TRUE_PHASE} / width, t));
                    H(a);
                    let r = MResetZ(a);
                    seen += [r];
                    if r == One {{ mean += width * 0.6065; }} else {{ mean -= width * 0.6065; }}
                    width *= 0.7951;
                }}
                Reset(t);
                return (seen, mean); }}""",
            "Adaptive_RIF",
        ),
        "openqasm": _qasm(f"""qubit[2] q; bit[{ROUNDS}] seen; float mean = {MEAN}; float width = {WIDTH};
            x q[1];
            for int step in [0:{ROUNDS - 1}] {{
              reset q[0]; h q[0];
              rz(-(mean - pi * width / 2) / width) q[0];
              crz({TRUE_PHASE} / width) q[0], q[1];
              h q[0];
              seen[step] = measure q[0];
              if (seen[step]) {{ mean += width * 0.6065; }} else {{ mean -= width * 0.6065; }}
              width *= 0.7951;
            }}"""),
        "qiskit": _bayes_qiskit,
        "cirq": _bayes_cirq,
    },
    ("mean += width", "mean -= width"),
    {"qsharp": _bayes_from_qsharp, "cirq": lambda text: text.replace(" ", "")},
)

PROTOCOLS = (TELEPORTATION, REPEAT_UNTIL_SUCCESS, PHASE_ESTIMATION, COUNTED_CORRECTIONS, BAYESIAN)
