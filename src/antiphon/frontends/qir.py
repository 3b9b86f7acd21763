"""QIR modules, text or bitcode, as programs; Q# arrives here too, compiled by the QDK.

A module becomes a circuit, so that every simulator and every device runs it, also where it computes, branches or loops
on what it measured. One with more cases than are written out stays QIR and runs on the QDK's own simulator. The bit
order is stated in `qir_outputs`.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from antiphon.domain.programs import Profile, Program, ProgramFormat, digest_of
from antiphon.errors import LimitError, ProgramError
from antiphon.frontends.qir_calls import OpaqueError
from antiphon.frontends.qir_circuit import Lowered, check_intrinsics, circuit_of, recorded_output
from antiphon.frontends.qir_flow import Flow
from antiphon.frontends.qir_outputs import registers_of
from antiphon.frontends.qir_reader import Function, Pointer, QirModule, is_bitcode, read_qir

MAX_QUBITS = 100_000
# Reading the package's metadata takes longer than reading a small program.
installed_version = cache(version)


def program_from_qir(source: bytes | str, *, name: str | None = None, entry_point: str | None = None) -> Program:
    """The program that a QIR module says; `source` is kept as submitted.

    Args:
        source: LLVM assembly, as text or UTF-8 bytes, or LLVM bitcode.
        name: The user's name for it; by default the entry point's.
        entry_point: The function to run, when the module has several.

    Raises:
        ProgramError: Not valid LLVM, no entry point, or several and none was named.
        UnsupportedProgramError: It calls a gate that no simulator knows.
        LimitError: Too long, or too many qubits.
        MissingExtraError: pyqir is not installed.
    """
    content = source.encode() if isinstance(source, str) else bytes(source)
    module = read_qir(content)
    entry = _entry(module, entry_point)
    check_intrinsics(module)
    num_qubits = _num_qubits(module, entry)
    lowered: Lowered | None = None
    opaque_because = ""
    try:
        lowered = circuit_of(module, entry, num_qubits)
    except OpaqueError as reason:
        opaque_because = f"The QIR module is no circuit: {reason}."
    format_ = ProgramFormat.QIR_BITCODE if is_bitcode(content) else ProgramFormat.QIR_TEXT
    return Program(
        format=format_,
        source=content,
        digest=digest_of(format_, content, entry.name if len(module.entry_points) > 1 else None),
        name=name or entry.name,
        circuit=None if lowered is None else lowered.circuit,
        num_qubits=num_qubits,
        registers=registers_of(recorded_output(entry)) or (),
        parameters=(),
        profile=_opaque_profile(module) if lowered is None else lowered.profile,
        opaque_because=opaque_because,
        entry_point=entry.name,
        made_with={"pyqir": installed_version("pyqir")},
        returns=None if lowered is None else lowered.returns,
    )


def _entry(module: QirModule, wanted: str | None) -> Function:
    names = module.entry_points
    if wanted is not None:
        if wanted not in names:
            raise ProgramError(
                f"The QIR module has no entry point {wanted}.",
                cause=f"It has {', '.join(names) or 'none'}.",
                next_step="Name one of its entry points.",
            )
        entry = module.functions[wanted]
    elif len(names) != 1:
        raise ProgramError(
            f"The QIR module has {len(names)} entry points: {', '.join(names)}."
            if names
            else "The QIR module has no entry point.",
            next_step="Name the one to run as entry_point."
            if names
            else 'Mark a function with the attribute "entry_point".',
        )
    else:
        entry = module.functions[names[0]]
    if not entry.blocks:
        raise ProgramError(f"The entry point {entry.name} has no body.", next_step="Link its definition.")
    if entry.parameters:
        raise ProgramError(
            f"The entry point {entry.name} takes arguments.",
            next_step="Compile a call with its arguments written out, as qsharp.compile does; over the Azure protocol, "
            "send them as `arguments`.",
        )
    return entry


def _num_qubits(module: QirModule, entry: Function) -> int:
    declared = entry.attributes.get("required_num_qubits", entry.attributes.get("requiredQubits", ""))
    if declared.isdecimal() and len(declared) < 10:
        number = int(declared)
    else:
        # Without the attribute: one more than the largest qubit, results counted too since both are bare numbers.
        used = [
            operand.number
            for function in module.functions.values()
            for block in function.blocks
            for one in block.instructions
            for operand in one.operands
            if isinstance(operand, Pointer) and one.callee.startswith("__quantum__qis__")
        ]
        number = 1 + max(used, default=-1)
    if number > MAX_QUBITS:
        raise LimitError(
            f"The QIR module requires {number:,} qubits, more than the {MAX_QUBITS:,} that are accepted.",
            next_step="Use fewer qubits.",
        )
    return number


_FLOAT_OPCODES = frozenset({"FADD", "FSUB", "FMUL", "FDIV", "FREM", "FNEG", "FCMP", "SI_TO_FP", "UI_TO_FP"})


def _opaque_profile(module: QirModule) -> Profile:
    """What the module needs, by what it does: the attribute names only "base" or "adaptive"."""
    functions = [function for function in module.functions.values() if function.blocks]
    if any(Flow(function).has_loop for function in functions):
        return Profile.ADAPTIVE
    opcodes = {one.opcode for function in functions for block in function.blocks for one in block.instructions}
    records = {one.callee for function in functions for block in function.blocks for one in block.instructions}
    if opcodes & _FLOAT_OPCODES or "__quantum__rt__double_record_output" in records:
        return Profile.ADAPTIVE_RIF
    return Profile.ADAPTIVE_RI
