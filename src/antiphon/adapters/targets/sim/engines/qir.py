"""QIR on the QDK's state-vector simulator: programs that compute, loop or return numbers while the qubits live.

It runs every shot from the beginning and cannot be interrupted, so it belongs into a worker process that can be killed.
Neighbouring seeds share nothing: each is hashed. Panics of the native code derive from BaseException and are caught.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from importlib.metadata import version as installed_version
from typing import Any

from antiphon.domain.circuits import Register
from antiphon.domain.noise import NoiseModel
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.domain.results import Counts, Sampled
from antiphon.domain.returned import display
from antiphon.domain.work import Pub
from antiphon.errors import ExecutionError, LimitError, MissingExtraError, UnsupportedProgramError
from antiphon.frontends.qir_outputs import leaves, output_of, registers_of
from antiphon.frontends.qir_reader import QirModule, read_qir

MAX_QUBITS = 26
"""A state of 1 GiB; the simulator aborts the process when it gets no memory for its state."""

_ONE_QUBIT = ("x", "y", "z", "h", "s", "s_adj", "t", "t_adj", "sx", "sx_adj", "rx", "ry", "rz")
_TWO_QUBIT = ("cx", "cy", "cz", "swap", "rxx", "ryy", "rzz")


def version() -> str:
    """The simulator and its version."""
    return f"qdk {installed_version('qdk')}"


def run(pub: Pub, *, noise: NoiseModel | None) -> Sampled:
    """Sample a QIR program.

    Outcomes are bit strings when all that the program returns are measurement results (the order is stated in
    `qir_outputs`), and otherwise values as Q# shows them.

    Args:
        pub: The program, its shots and seed; QIR has no free parameters.
        noise: Depolarising noise after gates. Readout errors are refused: the simulator would change the qubit instead
            of the result.

    Raises:
        UnsupportedProgramError: An expectation value, or noise that the simulator cannot apply.
        LimitError: Too many qubits for the state to be tried.
        ExecutionError: The simulator failed; the cause has its words.
        MissingExtraError: The QDK is not installed.
    """
    program = pub.program
    if pub.observables is not None or pub.shots is None:
        raise UnsupportedProgramError(
            "A QIR program that is no circuit has no expectation values.",
            cause=program.opaque_because,
            next_step="Sample it, and compute the expectation value from the counts.",
        )
    if program.num_qubits > MAX_QUBITS:
        raise LimitError(
            f"The QIR program needs {program.num_qubits} qubits; its simulator is given {MAX_QUBITS} at most.",
            next_step="Use fewer qubits, or write it without computed values so that another engine can run it.",
            details={"limit": MAX_QUBITS, "num_qubits": program.num_qubits},
        )
    source, module = _runnable(program)
    noise_config = _noise_config(noise, module)
    counts = tuple(
        _counts(source, pub.shots, _seed(pub.seed, index), noise_config) for index in range(pub.parameters.num_sets)
    )
    is_bits = all(is_bits for _, is_bits in counts)
    return Sampled(pub.parameters.shape, tuple(c for c, _ in counts), pub.shots, "bits" if is_bits else "values")


def _seed(seed: int, index: int) -> int:
    """32 bits, which is what the simulator takes; hashed, so that neighbouring seeds and sets share nothing."""
    return int.from_bytes(hashlib.sha256(f"qir:{seed}:{index}".encode()).digest()[:4], "big")


def _runnable(program: Program) -> tuple[str | bytes, QirModule]:
    """What the simulator takes, with one entry point left: it starts the first that it finds."""
    source = program.source
    module = read_qir(source)
    others = [name for name in module.entry_points if name != program.entry_point]
    if not others:
        return (source if program.format is ProgramFormat.QIR_BITCODE else source.decode()), module
    import pyqir

    context = pyqir.Context()
    is_bitcode = program.format is ProgramFormat.QIR_BITCODE
    reread = (
        pyqir.Module.from_bitcode(context, source, "program")
        if is_bitcode
        else pyqir.Module.from_ir(context, source.decode(), "program")
    )
    for function in list(reread.functions):
        if function.name in others:
            function.delete()
    return (reread.bitcode if is_bitcode else str(reread)), module


def _noise_config(noise: NoiseModel | None, module: QirModule) -> Any:
    if noise is None or noise.is_trivial:
        return None
    if noise.readout_p01 or noise.readout_p10:
        raise UnsupportedProgramError(
            "Readout errors cannot be applied to a QIR program that is no circuit.",
            next_step="Leave readout_p01 and readout_p10 out, or write the program as a circuit.",
            details={"instruction": "readout"},
        )
    called = {
        one.callee for function in module.functions.values() for block in function.blocks for one in block.instructions
    }
    if noise.depolarizing_2q and "__quantum__qis__ccx__body" in called:
        raise UnsupportedProgramError(
            "Noise on ccx cannot be applied to a QIR program that is no circuit.",
            next_step="Decompose CCNOT into gates on one and two qubits.",
            details={"instruction": "ccx"},
        )
    simulation = _simulation()
    config = simulation.NoiseConfig()
    # The simulator draws one of the 3 (or 15) Pauli errors with probability p; the channel (1-p)ρ + p·I/2ⁿ, which is
    # what the model promises, counts the identity among them.
    for names, probability in (
        (_ONE_QUBIT, noise.depolarizing_1q * 3 / 4),
        (_TWO_QUBIT, noise.depolarizing_2q * 15 / 16),
    ):
        if probability:
            for name in names:
                getattr(config, name).set_depolarizing(probability)
    return config


def _simulation() -> Any:
    os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")
    try:
        from qdk import simulation
    except ImportError as error:
        raise MissingExtraError.of("qdk", "qsharp", "Running QIR") from error
    return simulation


def _counts(source: str | bytes, shots: int, seed: int, noise: Any) -> tuple[Counts, bool]:
    simulation = _simulation()
    try:
        values = simulation.run_qir(source, shots=shots, noise=noise, seed=seed, type="cpu")
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the simulator derives from BaseException alone
        raise ExecutionError(
            "The QIR simulator failed.",
            cause=f"{type(error).__name__}: {error}"[:500],
            next_step="Check the module with the QDK itself: no compiler of QIR should write such a module.",
        ) from None
    if len(values) != shots:
        raise ExecutionError(
            f"The QIR simulator returned {len(values)} of {shots} shots.",
            next_step="Run again; if it persists, the module ends some shots without an output.",
        )
    return tallied(values)


def tallied(values: list[Any]) -> tuple[Counts, bool]:
    """Counts of what the simulator returned for each shot, and whether they are of bit strings."""
    from qdk import Result

    # Few shots differ, and a value is cheaper to count than to read: its text first, then one reading for each text.
    texts = Counter(map(repr, values))
    examples = dict(zip(map(repr, values), values, strict=True))
    is_bits, keys = True, dict[str, str]()
    for text, value in examples.items():
        output = output_of(value, Result)
        registers = registers_of(output)
        if registers is None:
            is_bits = False
            break
        bits = "".join("1" if item == Result.One else "0" for item in _flat(value))
        assert len(bits) == sum(1 for _ in leaves(output))
        keys[text] = _string(bits, registers)
    if not is_bits:
        keys = {text: display(value) for text, value in examples.items()}
    counts: Counter[str] = Counter()
    for text, number in texts.items():
        counts[keys[text]] += number
    return dict(sorted(counts.items())), is_bits


def _flat(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in _flat(item)] if isinstance(value, list | tuple) else [value]


def _string(bits: str, registers: tuple[Register, ...]) -> str:
    parts = [bits[register.offset : register.offset + register.size][::-1] for register in registers]
    return " ".join(reversed(parts))
