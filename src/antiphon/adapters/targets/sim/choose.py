"""Which engine runs a program on which target, and why: the rules of the simulator targets.

The order follows measured times: Lightning's raw state vector leads up to 20 qubits, qsim's gate fusion beyond,
stim on Clifford circuits of any width, shot splitting on programs that measure and go on.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache

from antiphon.adapters.targets.sim import costs, gpu, limits
from antiphon.adapters.targets.sim.angles import Floats
from antiphon.adapters.targets.sim.demand import Choice, Demand
from antiphon.adapters.targets.sim.engines import lightning_state, qsim
from antiphon.adapters.targets.sim.engines.lightning import sample_precision
from antiphon.adapters.targets.sim.features import Features, walk
from antiphon.adapters.targets.sim.refusals import noisy_exact, noisy_too_wide, require_clifford, static_only
from antiphon.adapters.targets.sim.settings import uniform_noise
from antiphon.adapters.targets.sim.twirling import MOST, moved_by_twirling, said_of_twirling
from antiphon.domain.circuits import AssignBit
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.errors import LimitError, MissingExtraError, UnsupportedProgramError

STIM_FROM_QUBITS = 12
QSIM_FROM_QUBITS = 21
DENSITY_QUBITS = 7
DENSITY_MAX_QUBITS = 12
TRAJECTORY_MAX_QUBITS = 20
GPU_TRAJECTORY_MAX_QUBITS = 26
QIR_MAX_QUBITS = 26
MPS_MAX_SECONDS = 1800.0
BRANCHING_MAX_SECONDS = 60.0
AER_MOST_ASSIGNED = 100
EXACT_MAX_SECONDS = 0.2

_RUN_QIR = ("sim.auto", "sim.statevector")
_RUN_QISKIT = ("sim.auto", "sim.statevector", "sim.density_matrix")


@cache
def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def opaque(demand: Demand, target: str) -> Choice:
    """For a program that only an engine which takes its own format can run."""
    program = demand.program
    if not demand.sampling:
        raise UnsupportedProgramError(
            "Expectation values of this program cannot be computed.",
            code="estimate-unsupported",
            cause=program.opaque_because or "its circuit cannot be read as a tape of gates",
            next_step="Estimate a program of gates alone, or sample this one.",
        )
    if program.format in (ProgramFormat.QIR_TEXT, ProgramFormat.QIR_BITCODE) and target in _RUN_QIR:
        if not _installed("qdk"):
            raise MissingExtraError.of("qdk", "qsharp", "Running QIR")
        _check_qir(demand)
        return Choice("qir", "QIR that only its own interpreter runs", 0.1 + 1e-3 * (demand.shots or 1), 0)
    if program.format is not ProgramFormat.QPY or target not in _RUN_QISKIT:
        raise UnsupportedProgramError(
            f"{target} cannot run this {program.format} program.",
            cause=program.opaque_because or "its circuit cannot be read as a tape of gates",
            next_step="Use sim.auto for programs from Qiskit or in QIR, or leave out what the cause names.",
        )
    need_aer()
    _refuse_variables(program)
    width = program.num_qubits
    noisy = uniform_noise(demand.settings) is not None
    engine = "aer-density-matrix" if noisy or target == "sim.density_matrix" else "aer-statevector"
    memory = 4**width * limits.DENSITY_BYTES if engine == "aer-density-matrix" else 2**width * limits.AER_BYTES
    _admit(engine, width, memory, ["Use fewer qubits."])
    return Choice(engine, "a Qiskit program that only Aer itself can run", 0.05 + 1e-4 * (demand.shots or 1), memory)


def _check_qir(demand: Demand) -> None:
    noise, width = uniform_noise(demand.settings), demand.program.num_qubits
    if noise is not None and (noise.readout_p01 or noise.readout_p10):
        raise UnsupportedProgramError(
            "Readout errors cannot be applied to a QIR program that is no circuit.",
            cause=demand.program.opaque_because,
            next_step="Leave readout_p01 and readout_p10 out, or write the program as a circuit.",
        )
    if width > QIR_MAX_QUBITS:
        raise LimitError(
            f"The QIR program needs {width} qubits; its interpreter is given {QIR_MAX_QUBITS} at most.",
            next_step="Use fewer qubits, or write it without computed values so that another engine can run it.",
            details={"num_qubits": width, "max_qubits": QIR_MAX_QUBITS},
        )


def _refuse_variables(program: Program) -> None:
    from antiphon.frontends.qiskit import circuit_from_program  # Qiskit is needed for this format alone

    if circuit_from_program(program).num_vars:
        raise UnsupportedProgramError(
            "No engine runs Qiskit's run-time variables.",
            cause="the circuit declares variables, which Aer fails on with the current Qiskit",
            next_step="Keep the values in classical bits: measure or store into a bit of a register.",
        )


def statevector(demand: Demand) -> Choice:
    """A noise-free state vector: Lightning, qsim for wide static sampling, shot splitting for dynamic programs."""
    features = _circuit(demand)
    width = features.num_qubits
    ways_out = ["Use fewer qubits,", "sim.stabilizer if all gates are Clifford,", "or sim.mps if entanglement is low."]
    problem = lightning_state.unusable_because()
    if features.dynamic:
        static_only(demand, features)
        return _dynamic(demand, features, problem, ways_out)
    precision = sample_precision(width, demand.settings.precision) if demand.sampling else _exact_precision(demand)
    own_seconds = costs.lightning_seconds(demand, features, precision)
    what = f"static, {width} qubits, {'counts' if demand.sampling else 'expectation values'}"
    there = gpu.choice("lightning-gpu", what, width, precision, against=own_seconds, gates=len(features.gates))
    if there is not None:
        return there
    if demand.sampling and width >= QSIM_FROM_QUBITS and demand.settings.precision != "double":
        seconds = costs.qsim_seconds(features)
        if (problem or seconds < own_seconds) and not qsim.unusable_because():
            memory = 2**width * limits.QSIM_BYTES
            _admit("a state vector", width, memory, ways_out)
            reason = f"static, {width} qubits, {len(features.gates)} gates: qsim's gate fusion is fastest"
            return Choice("qsim", reason, seconds, memory)
    per_state = limits.SAMPLE_BYTES[precision] if demand.sampling else limits.EXACT_BYTES[precision]
    if not problem:
        memory = 2**width * per_state
        _admit("a state vector", width, memory, ways_out)
        return Choice("lightning", f"{what}: Lightning's state vector is fastest", own_seconds, memory, safe=True)
    need_aer(features)
    memory = 2**width * limits.AER_BYTES
    _admit("a state vector", width, memory, ways_out)
    return Choice("aer-statevector", f"static, {width} qubits; {problem}", costs.aer_seconds(demand, features), memory)


def stabilizer(demand: Demand, parameters: Floats) -> Choice:
    """Clifford circuits of any width.

    Raises:
        UnsupportedProgramError: A gate is not Clifford at its angles; the message names it.
    """
    features = _circuit(demand)
    require_clifford(features, parameters)
    noisy = demand.settings.noise is not None
    if features.dynamic:
        static_only(demand, features)
    if noisy and demand.exact:
        raise noisy_exact(features, DENSITY_MAX_QUBITS)
    seconds = 2e-4 + 2e-7 * len(features.gates) + 2e-9 * (demand.shots or 1) * max(len(features.gates), 1)
    memory = features.num_qubits**2 + (demand.shots or 1) * max(features.circuit.num_clbits, features.num_qubits)
    if features.has_control:
        need_aer(features)
        reason = "Clifford with branches on measured bits"
        return Choice("aer-stabilizer", reason, 0.05 + 1e-6 * (demand.shots or 1) * len(features.gates), memory)
    if _installed("stim"):
        reason = f"Clifford, {features.num_qubits} qubits{', Pauli noise' if noisy else ''}: stim is fastest"
        _admit("stim", features.num_qubits, memory, ["Use fewer shots."])
        return Choice("stim", reason, seconds, memory, safe=True)
    if noisy or demand.shots is None or not demand.sampling:
        raise MissingExtraError.of("stim", "sims", "Sampling noisy Clifford circuits and their expectation values")
    need_aer(features)
    return Choice("aer-stabilizer", "Clifford; stim is not installed", 0.2 + seconds * 100, memory)


def matrix_product_state(demand: Demand) -> Choice:
    """A matrix product state on Aer, bounded by the entanglement the circuit can make."""
    features = _circuit(demand)
    if features.dynamic:
        static_only(demand, features)
    need_aer(features)
    bond = 2 ** min(features.log2_bond, 60)
    asked = demand.settings.max_bond_dimension
    bound = bond if asked is None else min(asked, bond)
    seconds = 0.05 + len(features.gates) * bound**3 * 1e-8 + (demand.shots or 0) * features.num_qubits * bound**2 * 1e-9
    memory = features.num_qubits * bound**2 * 128  # the engine's tensors, and the copies that shots are drawn from
    if seconds > MPS_MAX_SECONDS or not limits.fits(memory):
        raise LimitError(
            f"The program may be too entangled for a matrix product state on {features.num_qubits} qubits.",
            code="entanglement-exceeded",
            cause=f"its gates allow a bond dimension of {_power(bond)}, which would take about {seconds:.2g} s "
            f"and {memory / 2**30:.2g} GiB",
            next_step="Set the option max_bond_dimension (an approximation from there on), order the qubits so that "
            "gates join neighbours, or use a state vector if the program is narrow enough.",
            details={"bond_dimension": bond, "num_qubits": features.num_qubits},
        )
    reason = f"{features.num_qubits} qubits, bond dimension at most {_power(bound)}"
    if bound < bond:
        reason += f" (asked for; the gates allow {_power(bond)})"
    return Choice("aer-mps", reason, seconds, memory)


def density_matrix(demand: Demand) -> Choice:
    """The density matrix on Aer, with noise or without."""
    features = _circuit(demand)
    width = features.num_qubits
    if features.dynamic:
        static_only(demand, features)
    need_aer(features)
    memory = 4**width * limits.DENSITY_BYTES
    ways_out = ["Use fewer qubits,", "or sim.auto, which samples trajectories up to 20 qubits."]
    _admit("a density matrix", width, memory, ways_out)
    seconds = 2e-3 + len(features.gates) * 4**width * 2e-9
    if features.dynamic:
        assigned = sum(isinstance(operation, AssignBit) for operation in walk(features.operations))
        if assigned > AER_MOST_ASSIGNED and not lightning_state.unusable_because():
            return _computing(demand, features, assigned)
        seconds += (demand.shots or 1) * (1e-5 + assigned * 6e-6 + len(features.gates) * 4**width * 1e-9)
    noisy = "noise applied exactly" if demand.settings.noise else "no noise asked for"
    return Choice("aer-density-matrix", f"{width} qubits as a density matrix, {noisy}", seconds, memory)


def _computing(demand: Demand, features: Features, assigned: int) -> Choice:
    """A program with integer arithmetic, for which Aer takes some microseconds a bit and shot."""
    is_noisy = demand.settings.noise is not None
    found = _noisy_histories(demand, features) if is_noisy else _dynamic(demand, features, "", ())
    return replace(found, reason=f"computes {assigned} bits while it runs, slow on Aer; {found.reason}")


def automatic(demand: Demand, parameters: Floats) -> Choice:
    """The engine that measured fastest for the program's class; parameters matter only where width forces Clifford."""
    if demand.settings.noise is not None:
        return noisy(demand, parameters)
    features = _circuit(demand)
    width = features.num_qubits
    fixed_clifford = features.may_be_clifford and not features.is_parametric
    # Exact values of a narrow Clifford circuit are quicker from a state vector, which sums all terms at once.
    wide = width >= (21 if demand.exact else STIM_FROM_QUBITS)
    if fixed_clifford and wide and not features.has_control and _installed("stim"):
        return stabilizer(demand, parameters)
    per_state = limits.QSIM_BYTES if demand.sampling else limits.EXACT_BYTES["double"]
    if limits.fits(2**width * per_state) or _fits_on_gpu(demand, features):
        return statevector(demand)
    if features.is_clifford_at(parameters):
        return stabilizer(demand, parameters)
    if not features.dynamic:
        try:
            found = matrix_product_state(demand)
        except LimitError as error:
            refusal = limits.too_wide(
                "a state vector",
                width,
                2**width * per_state,
                ["Use fewer qubits,", "or sim.mps with max_bond_dimension, which approximates."],
            )
            refusal.cause += f"; nor is it Clifford, and {error.cause}"
            raise refusal from error
        return replace(found, reason=f"too wide for a state vector; {found.reason}")
    return statevector(demand)


def _fits_on_gpu(demand: Demand, features: Features) -> bool:
    width = features.num_qubits
    precision = sample_precision(width, demand.settings.precision) if demand.sampling else _exact_precision(demand)
    return not features.dynamic and gpu.better(width, precision)


def noisy(demand: Demand, parameters: Floats) -> Choice:
    """The engine that measured fastest for a noisy program; `parameters` as in `automatic`.

    Where qubits wait so long that twirled relaxation would show, one that does not twirl if that is no long matter.
    """
    features = _circuit(demand)
    moved = _moved_by_twirling(demand, features)
    if moved > MOST and features.num_qubits <= (TRAJECTORY_MAX_QUBITS if features.dynamic else DENSITY_MAX_QUBITS):
        with suppress(LimitError):
            exact = _noisy(demand, features, parameters, exactly=True)
            if exact.seconds <= EXACT_MAX_SECONDS:
                return exact
    return said_of_twirling(_noisy(demand, features, parameters, exactly=False), moved)


def _moved_by_twirling(demand: Demand, features: Features) -> float:
    noise = demand.settings.noise
    return 0.0 if noise is None else moved_by_twirling(walk(features.operations), noise.on(features.qubits))


def _noisy(demand: Demand, features: Features, parameters: Floats, *, exactly: bool) -> Choice:
    width = features.num_qubits
    problem = lightning_state.unusable_because()
    clifford = features.is_clifford_at(parameters) and not demand.exact and not features.has_control
    if clifford and not exactly and _installed("stim"):
        return stabilizer(demand, parameters)
    if features.dynamic:
        static_only(demand, features)
        return _noisy_dynamic(demand, features, parameters, problem)
    if width <= DENSITY_QUBITS or ((demand.exact or exactly) and width <= DENSITY_MAX_QUBITS):
        return density_matrix(demand)
    if demand.exact:
        raise noisy_exact(features, DENSITY_MAX_QUBITS)
    if problem:
        if not demand.sampling:
            raise noisy_too_wide(features, TRAJECTORY_MAX_QUBITS)
        return _noisy_shot_by_shot(demand, features)
    seconds = costs.trajectory_seconds(demand, features)
    if width <= GPU_TRAJECTORY_MAX_QUBITS:
        precision = sample_precision(width, demand.settings.precision)
        gates = costs.trajectory_gates(demand, features)
        what = f"noisy, {width} qubits, trajectories with errors drawn ahead"
        there = gpu.choice("trajectories-gpu", what, width, precision, against=seconds, gates=gates)
        if there is not None:
            return there
    if width > TRAJECTORY_MAX_QUBITS:
        raise noisy_too_wide(features, TRAJECTORY_MAX_QUBITS)
    memory = 3 * 2**width * limits.SAMPLE_BYTES["double"]
    _admit("noise trajectories", width, memory, ["Use fewer qubits."])
    reason = f"noisy, {width} qubits: trajectories with errors drawn ahead are fastest from {DENSITY_QUBITS + 1}"
    return Choice("trajectories", reason, seconds, memory, safe=True)


def _noisy_dynamic(demand: Demand, features: Features, parameters: Floats, problem: str) -> Choice:
    width = features.num_qubits
    if problem:
        return _noisy_shot_by_shot(demand, features)
    if width > TRAJECTORY_MAX_QUBITS:
        if features.is_clifford_at(parameters):
            return stabilizer(demand, parameters)  # with branches: Aer's, shot by shot
        raise noisy_too_wide(features, TRAJECTORY_MAX_QUBITS)
    return _noisy_histories(demand, features)


def _noisy_histories(demand: Demand, features: Features) -> Choice:
    memory = 2**features.num_qubits * 16 * ((demand.shots or 1).bit_length() + 3)
    _admit("noisy histories", features.num_qubits, memory, ["Use fewer qubits."])
    seconds = costs.noisy_branching_seconds(demand, features)
    reason = f"noisy, measures and goes on ({features.dynamic}): shots of one history of errors and bits share a state"
    return Choice("noisy-branching", reason, seconds, memory, safe=not features.has_while)


def _noisy_shot_by_shot(demand: Demand, features: Features) -> Choice:
    if features.num_qubits > TRAJECTORY_MAX_QUBITS:
        raise noisy_too_wide(features, TRAJECTORY_MAX_QUBITS)
    need_aer(features)
    memory = 2**features.num_qubits * limits.AER_BYTES
    seconds = (demand.shots or 1) * costs.aer_seconds(demand, features)
    return Choice("aer-statevector", "noisy program, one trajectory for each shot", seconds, memory)


def _dynamic(demand: Demand, features: Features, problem: str, ways_out: Sequence[str]) -> Choice:
    width, shots = features.num_qubits, demand.shots or 1
    histories = min(shots, 2 ** min(features.num_mid, 40)) * (4 if features.has_while else 1)
    seconds = 1e-4 + histories * (len(features.gates) + features.num_mid + 1) * (1e-6 + 2**width * 1e-9)
    memory = 2**width * 16 * (min(features.num_mid, 40) + 3)
    if not problem and seconds <= BRANCHING_MAX_SECONDS and limits.fits(memory):
        reason = f"measures and goes on ({features.dynamic}): the state is evolved once for each measurement history"
        return Choice("branching", reason, seconds, memory, safe=not features.has_while)
    need_aer(features)
    memory = 2**width * limits.AER_BYTES
    _admit("a state vector", width, memory, ways_out)
    why = problem or "too many measurement histories to follow each"
    return Choice("aer-statevector", f"dynamic; {why}", shots * costs.aer_seconds(demand, features), memory)


def _circuit(demand: Demand) -> Features:
    assert demand.features is not None
    return demand.features


def _admit(what: str, width: int, memory: int, ways_out: Sequence[str]) -> None:
    if not limits.fits(memory):
        raise limits.too_wide(what, width, memory, ways_out)


def need_aer(features: Features | None = None) -> None:
    """Refuse what would need Aer where it is not installed, or cannot run the program.

    Raises:
        MissingExtraError: Aer is not installed.
        UnsupportedProgramError: A loop is of a kind that Aer has not.
    """
    if not _installed("qiskit_aer"):
        raise MissingExtraError.of("qiskit-aer", "sims", "This program")
    if features is not None and features.has_uneven_loop:
        raise UnsupportedProgramError(
            "The only engine for this program cannot run a counted loop with break or continue whose turns differ.",
            cause="such a loop is in the program, and Aer runs loops of equal turns only",
            next_step="Write the turns out with branches, or run on sim.auto without noise and on fewer qubits.",
        )


def _exact_precision(demand: Demand) -> str:
    return demand.settings.precision or "double"


def _power(bond: int) -> str:
    return str(bond) if bond < 10**6 else f"2^{math.log2(bond):.0f}"
