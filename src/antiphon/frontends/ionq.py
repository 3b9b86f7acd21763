"""IonQ's JSON circuits as programs: what Azure's clients call `ionq.circuit.v1` and IonQ `ionq.circuit.v0`.

Source: https://docs.ionq.com/api-reference/v0.3/writing-quantum-programs and …/native-gates-api, and what azure-quantum
3.13.0 and cirq-ionq 1.6.1 write. The format has no measurements: all qubits are measured at the end, qubit i into bit i
of one register, so that bit 0, the rightmost, is qubit 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from antiphon.domain.circuits import Circuit, Gate, Measure, Operation, Register
from antiphon.domain.programs import Program, ProgramFormat, digest_of
from antiphon.errors import LimitError, ProgramError, UnsupportedProgramError
from antiphon.frontends.ionq_gates import NATIVE, QIS, Instruction
from antiphon.frontends.profile import smallest_profile
from antiphon.frontends.unrolling import MAX_OPERATIONS

MAX_QUBITS = 100_000
REGISTER = "q"
"""Name of the one register: IonQ names none."""


def program_from_ionq(source: bytes, *, name: str | None = None) -> Program:
    """The program that an IonQ JSON circuit is; `source` is kept unchanged.

    Raises:
        ProgramError: No JSON, not of this format, or a gate without what it needs; the message says which.
        UnsupportedProgramError: A gate that is not known, or several circuits in one.
        LimitError: Too many qubits or operations.
    """
    body = _body(source)
    table = _table(body)
    operations: list[Operation] = []
    widest = 0
    for place, entry in enumerate(body["circuit"]):
        if not isinstance(entry, Mapping):
            raise _invalid(f"operation {place} is {entry!r:.100}, not an object")
        instruction = Instruction(place, entry)
        read = table.get(instruction.name)
        if read is None:
            raise UnsupportedProgramError(
                f"Operation {place} of the IonQ circuit is the gate {instruction.name!r}, which is not known.",
                next_step=f"Use {', '.join(table)}.",
                details={"instruction": instruction.name},
            )
        for word, qubits, angles in read(instruction):
            widest = max(widest, *qubits)
            operations.append(Gate(word, qubits, angles))
        if len(operations) > MAX_OPERATIONS:
            raise LimitError(
                f"The IonQ circuit has more than {MAX_OPERATIONS:,} operations.", next_step="Split the program."
            )
    num_qubits = _num_qubits(body, widest if operations else -1)
    operations += [Measure(qubit, qubit) for qubit in range(num_qubits)]
    circuit = Circuit(num_qubits, (Register(REGISTER, num_qubits, 0),), (), tuple(operations))
    return Program(
        format=ProgramFormat.IONQ_JSON,
        source=source,
        digest=digest_of(ProgramFormat.IONQ_JSON, source),
        name=name or "ionq",
        circuit=circuit,
        num_qubits=num_qubits,
        registers=circuit.registers,
        parameters=(),
        profile=smallest_profile(circuit),
    )


def _body(source: bytes) -> dict[str, Any]:
    try:
        body = json.loads(source)
    except (ValueError, RecursionError) as error:
        raise ProgramError(
            "The IonQ circuit is no valid JSON.",
            cause=str(error)[:300],
            next_step='Send {"qubits": …, "circuit": […]}.',
        ) from None
    if not isinstance(body, dict):
        raise _invalid("it is no JSON object")
    if "circuits" in body:
        raise UnsupportedProgramError(
            "The IonQ input holds several circuits.",
            code="items-unsupported",
            next_step="Submit each circuit as a job of its own, or as the programs of a batch.",
        )
    if not isinstance(body.get("circuit"), list):
        raise _invalid('it has no list "circuit"')
    return body


def _table(body: Mapping[str, Any]) -> Mapping[str, Any]:
    gateset = body.get("gateset", "qis")
    if gateset == "qis":
        return QIS
    if gateset == "native":
        return NATIVE
    raise UnsupportedProgramError(
        f"The gate set {gateset!r:.100} of the IonQ circuit is not known.", next_step='Use "qis" or "native".'
    )


def _num_qubits(body: Mapping[str, Any], widest: int) -> int:
    number = body.get("qubits", widest + 1)
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise _invalid(f'"qubits" is {number!r:.100}, not a number from 1')
    if number > MAX_QUBITS:
        raise LimitError(
            f"The IonQ circuit has {number:,} qubits, more than the {MAX_QUBITS:,} that are accepted.",
            next_step="Use fewer qubits.",
        )
    if widest >= number:
        raise _invalid(f"it uses qubit {widest} and has {number} qubits, numbered from 0")
    return number


def _invalid(what: str) -> ProgramError:
    return ProgramError(
        f"The IonQ circuit is not valid: {what}.",
        code="ionq-invalid",
        next_step='Send {"qubits": 2, "circuit": [{"gate": "h", "target": 0}, …]}.',
    )
