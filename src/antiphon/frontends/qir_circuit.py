"""From a QIR module to a circuit: its classical instructions are carried out while it is read.

What is known then is known: loops that count are unrolled, functions are expanded. What depends on measurements is
followed through all of its cases (see `unfolding`). A module with too many cases, or one that does what no circuit
holds, stays opaque, and its own interpreter runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.domain.circuits import Circuit
from antiphon.domain.programs import Profile
from antiphon.domain.returned import Returns
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.decisions import Lost, TooManyCasesError, leaves
from antiphon.frontends.profile import smallest_profile
from antiphon.frontends.qir_calls import OpaqueError
from antiphon.frontends.qir_intrinsics import GATE_NAMES, MEASUREMENTS, OTHER_INTRINSICS, QIS, RECORDS, recorded
from antiphon.frontends.qir_outputs import Output, tree_of
from antiphon.frontends.qir_placing import placed
from antiphon.frontends.qir_reader import Function, QirModule
from antiphon.frontends.qir_running import Running, TooManyTurns
from antiphon.frontends.unfolding_loops import EndlessError


@dataclass(frozen=True, slots=True)
class Lowered:
    """A module as a circuit, what its bits mean, and the smallest profile that it needs."""

    circuit: Circuit
    returns: Returns | None
    profile: Profile


def check_intrinsics(module: QirModule) -> None:
    """Refuse gates that no engine for QIR knows.

    Raises:
        UnsupportedProgramError: Names the intrinsic.
    """
    for function in module.functions.values():
        for block in function.blocks:
            for one in block.instructions:
                name = one.callee.removeprefix(QIS)
                known = name in GATE_NAMES or name in MEASUREMENTS or name in OTHER_INTRINSICS
                if one.callee.startswith(QIS) and not known:
                    raise UnsupportedProgramError(
                        f"The QIR module calls {one.callee}, which no simulator here knows.",
                        next_step="Decompose it into the gates of the QIR base profile.",
                        details={"instruction": one.callee},
                    )


def recorded_output(function: Function) -> Output:
    """What the function records, read from its blocks in order."""
    return tree_of([recorded(one) for block in function.blocks for one in block.instructions if one.callee in RECORDS])


def circuit_of(module: QirModule, entry: Function, num_qubits: int) -> Lowered:
    """The circuit of a module.

    Raises:
        OpaqueError: It has more cases than are written out, or does what no circuit holds.
        ProgramError: It uses a qubit beyond those it declares.
        LimitError: Too many operations.
    """
    lowering = Running(module, num_qubits)
    try:
        lowering.function(entry, (), 0)
    except TooManyCasesError as error:
        raise OpaqueError(str(error)) from None
    except EndlessError as error:
        raise OpaqueError(f"it has {error}") from None
    except TooManyTurns:
        raise OpaqueError("it has a loop whose turns are not followed") from None
    except RecursionError:
        raise OpaqueError("its branches are nested too deeply") from None
    for value in lowering.calls.recorded:
        if any(isinstance(leaf, Lost) for leaf in leaves(value)):
            raise OpaqueError("it returns a value that is not known")
    found = placed(lowering.unfolding.operations, tree_of(lowering.calls.records), lowering.calls.recorded)
    circuit = Circuit(num_qubits, found.registers, (), found.operations)
    return Lowered(circuit, found.returns, _profile(circuit, lowering))


def _profile(circuit: Circuit, lowering: Running) -> Profile:
    profile = smallest_profile(circuit)
    kinds = {kind for kind, _, _ in lowering.calls.records}
    if lowering.values.real or "double" in kinds:
        return max(profile, Profile.ADAPTIVE_RIF, key=lambda one: one.rank)
    if lowering.values.computes or kinds & {"int", "bool"}:
        return max(profile, Profile.ADAPTIVE_RI, key=lambda one: one.rank)
    return profile
