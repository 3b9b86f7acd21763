"""Circuits, work and statistics for the suites of the simulator targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.stats import chi2

from antiphon.domain.circuits import (
    Affine,
    AllOf,
    Angle,
    AnyOf,
    AssignBit,
    Bit,
    Break,
    Call,
    Circuit,
    Condition,
    Continue,
    For,
    Gate,
    If,
    Measure,
    Not,
    Operation,
    Parity,
    Register,
    Reset,
    Unitary,
    While,
)
from antiphon.domain.gates import GATES
from antiphon.domain.observables import Observable
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Profile, Program, ProgramFormat, digest_of
from antiphon.domain.results import Estimated, Execution, Sampled
from antiphon.domain.work import JobKind, Pub, Work
from reference_simulator import distribution

NUM_PARAMETERS = 3


def program_of(circuit: Circuit, profile: Profile = Profile.BASE) -> Program:
    source = repr(circuit).encode()
    return Program(
        format=ProgramFormat.OPENQASM3,
        source=source,
        digest=digest_of(ProgramFormat.OPENQASM3, source),
        name="",
        circuit=circuit,
        num_qubits=circuit.num_qubits,
        registers=circuit.registers,
        parameters=circuit.parameters,
        profile=profile,
    )


def sets_of(circuit: Circuit, values: Any = ()) -> ParameterSets:
    array = np.asarray(values, dtype="<f8")
    if not circuit.parameters:
        array = array.reshape(0)
    return ParameterSets(circuit.parameters, array.shape[:-1], array.tobytes())


def sampling(
    circuit: Circuit,
    values: Any = (),
    *,
    shots: int = 1000,
    seed: int = 11,
    profile: Profile = Profile.ADAPTIVE,
    **options: Any,
) -> Work:
    pub = Pub(program_of(circuit, profile), sets_of(circuit, values), shots, seed)
    return Work(JobKind.SAMPLE, (pub,), options)


def estimating(
    circuit: Circuit,
    observables: Observable | Sequence[Observable],
    values: Any = (),
    *,
    shots: int | None = None,
    seed: int = 11,
    shape: tuple[int, ...] = (),
    **options: Any,
) -> Work:
    several = (observables,) if isinstance(observables, Observable) else tuple(observables)
    pub = Pub(program_of(circuit), sets_of(circuit, values), shots, seed, several, shape)
    return Work(JobKind.ESTIMATE, (pub,), options)


def counts_of(execution: Execution) -> Mapping[str, int]:
    outcome = execution.outcomes[0]
    assert isinstance(outcome, Sampled)
    return outcome.counts[0]


def estimated(execution: Execution) -> Estimated:
    outcome = execution.outcomes[0]
    assert isinstance(outcome, Estimated)
    return outcome


def circuit_of(num_qubits: int, num_clbits: int, *operations: Operation, parameters: tuple[str, ...] = ()) -> Circuit:
    return Circuit(num_qubits, (Register("c", num_clbits, 0),) if num_clbits else (), parameters, operations)


def p_value(counts: Mapping[str, int], expected: Mapping[str, float]) -> float:
    """Of Pearson's chi-square test; outcomes expected less than five times are pooled. 0 for an impossible outcome."""
    if any(key not in expected for key in counts):
        return 0.0
    shots = sum(counts.values())
    big = [key for key, chance in expected.items() if chance * shots >= 5]
    rest = shots - sum(counts.get(key, 0) for key in big), shots * (1 - sum(expected[key] for key in big))
    bins = [(counts.get(key, 0), expected[key] * shots) for key in big]
    if rest[1] > 1e-6:
        bins.append(rest)
    statistic = sum((seen - mean) ** 2 / mean for seen, mean in bins)
    return float(chi2.sf(statistic, len(bins) - 1)) if len(bins) > 1 else 1.0


def assert_samples(counts: Mapping[str, int], circuit: Circuit, params: Sequence[float] = ()) -> None:
    expected = distribution(circuit, params)
    found = p_value(counts, expected)
    assert found > 1e-7, f"p = {found}: {dict(counts)} against {expected}"


_FINITE = st.floats(-2 * math.pi, 2 * math.pi, allow_nan=False)


def angles() -> st.SearchStrategy[Angle]:
    affine = st.builds(
        lambda constant, index, factor: Affine(constant, ((index, factor),)),
        _FINITE,
        st.integers(0, NUM_PARAMETERS - 1),
        _FINITE,
    )
    call = st.builds(lambda inner: Call("sin", (inner,)), affine)
    return st.one_of(_FINITE, affine, call)


@st.composite
def gates(draw: st.DrawFn, num_qubits: int, names: Sequence[str] = tuple(GATES)) -> Gate | Unitary:
    fitting = [name for name in names if GATES[name].num_qubits <= num_qubits]
    kind = GATES[draw(st.sampled_from(fitting))]
    qubits = tuple(draw(st.permutations(range(num_qubits)))[: kind.num_qubits])
    return Gate(kind.name, qubits, tuple(draw(angles()) for _ in range(kind.num_params)))


@st.composite
def unitaries(draw: st.DrawFn, num_qubits: int) -> Unitary:
    width = draw(st.integers(1, min(2, num_qubits)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = 2**width
    matrix, _ = np.linalg.qr(rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size)))
    qubits = tuple(draw(st.permutations(range(num_qubits)))[:width])
    return Unitary(tuple(complex(value) for value in matrix.ravel()), qubits)


_PARAMETERS = tuple(f"θ{index}" for index in range(NUM_PARAMETERS))


@st.composite
def static_circuits(draw: st.DrawFn, *, max_qubits: int = 4, names: Sequence[str] = tuple(GATES)) -> Circuit:
    """Gates, then measurements into two registers, in any order and not of every qubit."""
    num_qubits = draw(st.integers(1, max_qubits))
    one = gates(num_qubits, names)
    operations: list[Operation] = list(
        draw(st.lists(st.one_of(one, unitaries(num_qubits)) if len(names) == len(GATES) else one, max_size=12))
    )
    order = draw(st.permutations(range(num_qubits + 1)))
    operations.extend(Measure(qubit, order[qubit]) for qubit in range(draw(st.integers(1, num_qubits))))
    registers = (Register("a", 1, 0), Register("b", num_qubits, 1))
    return Circuit(num_qubits, registers, _PARAMETERS, tuple(operations))


_BITS = 3


def conditions() -> st.SearchStrategy[Condition]:
    return st.recursive(
        st.one_of(st.booleans(), st.builds(Bit, st.integers(0, _BITS - 1))),
        lambda inner: st.one_of(
            st.builds(Not, inner),
            *(st.builds(kind, st.lists(inner, max_size=3).map(tuple)) for kind in (AllOf, AnyOf, Parity)),
        ),
        max_leaves=4,
    )


@st.composite
def blocks(draw: st.DrawFn, num_qubits: int, depth: int, *, in_loop: bool) -> tuple[Operation, ...]:
    qubit, clbit = st.integers(0, num_qubits - 1), st.integers(0, _BITS - 1)
    kinds: list[st.SearchStrategy[Operation]] = [
        gates(num_qubits),
        st.builds(Measure, qubit, clbit),
        st.builds(Reset, qubit),
        st.builds(AssignBit, clbit, conditions()),
    ]
    if depth:
        inner = blocks(num_qubits, depth - 1, in_loop=in_loop)
        looped = blocks(num_qubits, depth - 1, in_loop=True)
        kinds.append(st.builds(If, conditions(), inner, inner))
        kinds.append(st.builds(For, st.lists(looped, max_size=2).map(tuple)))
    if in_loop:
        kinds.append(st.builds(Break))
        kinds.append(st.builds(Continue))
    return tuple(draw(st.lists(st.one_of(kinds), max_size=4)))


@st.composite
def dynamic_circuits(draw: st.DrawFn) -> Circuit:
    num_qubits = draw(st.integers(1, 3))
    start = tuple(Gate("h", (qubit,)) for qubit in range(num_qubits))
    body = draw(blocks(num_qubits, 2, in_loop=False))
    end = (Measure(0, 0),)
    registers = (Register("a", 1, 0), Register("b", _BITS - 1, 1))
    return Circuit(num_qubits, registers, _PARAMETERS, start + body + end)


def parameter_values() -> st.SearchStrategy[list[float]]:
    return st.lists(_FINITE, min_size=NUM_PARAMETERS, max_size=NUM_PARAMETERS)


@st.composite
def observables(draw: st.DrawFn, num_qubits: int) -> Observable:
    letters = st.text("IXYZ", min_size=num_qubits, max_size=num_qubits)
    terms = draw(st.dictionaries(letters, st.floats(-2, 2, allow_nan=False), max_size=6))
    return Observable(num_qubits, tuple(sorted(terms.items())))


def teleportation(angles_of_state: tuple[float, float, float] = (0.7, 0.3, 1.1)) -> Circuit:
    """Qubit 0 to qubit 2; the last register holds the teleported qubit."""
    operations: tuple[Operation, ...] = (
        Gate("u", (0,), angles_of_state),
        Gate("h", (1,)),
        Gate("cx", (1, 2)),
        Gate("cx", (0, 1)),
        Gate("h", (0,)),
        Measure(0, 0),
        Measure(1, 1),
        If(Bit(1), (Gate("x", (2,)),)),
        If(Bit(0), (Gate("z", (2,)),)),
        Measure(2, 2),
    )
    return Circuit(3, (Register("m", 2, 0), Register("out", 1, 2)), (), operations)


def repeat_until_success() -> Circuit:
    """Tries until the ancilla reads 0, with a way out by `break` inside the loop."""
    attempt: tuple[Operation, ...] = (
        Reset(0),
        Reset(1),
        Gate("ry", (0,), (1.2,)),
        Gate("ry", (1,), (0.9,)),
        Gate("cx", (0, 1)),
        Measure(1, 0),
        If(Bit(0), (Gate("h", (0,)), Measure(0, 2), If(Bit(2), (Break(),)))),
    )
    operations: tuple[Operation, ...] = (
        Gate("x", (1,)),
        Measure(1, 0),
        While(Bit(0), attempt),
        Measure(0, 1),
    )
    return circuit_of(2, 3, *operations)


def iterative_phase_estimation(phase: float, bits: int = 4) -> Circuit:
    """The phase of diag(1, e^{2πi·phase}), least significant bit first, on one reused ancilla."""
    operations: list[Operation] = [Gate("x", (1,))]
    for step in range(bits):
        operations += [Reset(0), Gate("h", (0,)), Gate("cp", (0, 1), (2 * math.pi * phase * 2 ** (bits - 1 - step),))]
        operations += [
            If(Bit(earlier), (Gate("p", (0,), (-math.pi / 2 ** (step - earlier),)),)) for earlier in range(step)
        ]
        operations += [Gate("h", (0,)), Measure(0, step)]
    return circuit_of(2, bits, *operations)
