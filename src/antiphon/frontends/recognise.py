"""The one way in: any program a user may submit becomes a `Program`. No SDK is imported before it is needed."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

from antiphon.domain.programs import Program, ProgramFormat
from antiphon.errors import LimitError, MissingExtraError, ProgramError
from antiphon.frontends.places import SourcePlaces
from antiphon.frontends.recognise_cache import TextCache

MAX_BYTES = 16 * 1024 * 1024
"""Largest program text or file."""

ACCEPTED = (
    "a Qiskit QuantumCircuit, a Cirq Circuit, the result of qsharp.compile, OpenQASM 2 or 3 text, QIR text or bitcode, "
    "IonQ's JSON, QPY bytes, or a pathlib.Path of a .qasm, .ll, .bc, .qpy or .json file"
)

_SMALL = 64 * 1024
_BITCODE = (b"BC\xc0\xde", b"\xde\xc0\x17\x0b")  # raw LLVM bitcode, and the same in its wrapper
_QPY = b"QISKIT"
_QSHARP = re.compile(r"(?:\s|//[^\n]*\n|@EntryPoint\([^)]*\))*(?:operation|namespace|import)\s+[A-Z]")
_SUFFIXES = (".qasm", ".qasm2", ".qasm3", ".inc", ".ll", ".bc", ".qpy", ".json")


def to_program(obj: object, *, name: str | None = None, dt_s: float | None = None) -> Program:
    """The program that `obj` is; see `ACCEPTED`. A `Program` is returned as it is.

    Args:
        dt_s: Seconds of the unit in which Qiskit gives delays for the target that it is read for.

    Raises:
        ProgramError: Not one of these, or not a valid one; the front end's error says why.
        LimitError: Larger than `MAX_BYTES`.
        MissingExtraError: The SDK that reads it is not installed.
    """
    match obj:
        case Program():
            return obj
        case str():
            _check_size(len(obj), "The program text")
            return (
                _texts.get((obj, name), lambda: _from_text(obj, name)) if len(obj) <= _SMALL else _from_text(obj, name)
            )
        case bytes() | bytearray():
            _check_size(len(obj), "The program")
            data = bytes(obj)
            return (
                _texts.get((data, name), lambda: _from_bytes(data, name))
                if len(data) <= _SMALL
                else _from_bytes(data, name)
            )
        case Path():
            return _from_file(obj, name)
    for kind in type(obj).__mro__:
        package = kind.__module__.partition(".")[0]
        if package == "qiskit" and kind.__name__ == "QuantumCircuit":
            return _qiskit().program_from_circuit(obj, name, dt_s)  # type: ignore[no-any-return]
        if package == "cirq" and kind.__name__ == "AbstractCircuit":
            return _cirq().program_from_circuit(obj, name)  # type: ignore[no-any-return]
    if hasattr(obj, "_repr_qir_"):
        return _from_qir_data(obj, name)
    raise ProgramError(
        f"A {type(obj).__module__}.{type(obj).__qualname__} is not a program.",
        next_step=f"Give {ACCEPTED}.",
        details={"type": f"{type(obj).__module__}.{type(obj).__qualname__}"},
    )


def load_program(
    format: ProgramFormat,  # noqa: A002 - the field's own word
    source: bytes,
    *,
    name: str = "",
    entry_point: str | None = None,
) -> Program:
    """A program from a stored artefact: the same digest and the same circuit as when it was submitted.

    Raises:
        ProgramError: The artefact is damaged, or not in the format stated.
        MissingExtraError: The SDK that reads it is not installed.
    """
    _check_size(len(source), "The program")
    match format:
        case ProgramFormat.QPY:
            program = _qiskit().program_from_qpy(source, name)
        case ProgramFormat.CIRQ_JSON:
            program = _cirq().program_from_json(source, name)
        case ProgramFormat.OPENQASM2 | ProgramFormat.OPENQASM3:
            program = _openqasm().program_from_openqasm(_decode(source), name=name)
        case ProgramFormat.QIR_TEXT | ProgramFormat.QIR_BITCODE:
            program = _qir().program_from_qir(source, name=name, entry_point=entry_point)
        case ProgramFormat.IONQ_JSON:
            program = _ionq().program_from_ionq(source, name=name)
    if program.format is not format:
        raise ProgramError(
            f"The artefact is stored as {format.value}, but it is {program.format.value}.",
            next_step="Submit the program again.",
        )
    return program  # type: ignore[no-any-return]


def _weight(program: Program) -> int:
    """What a program holds: its text in hundreds of bytes, and its operations."""
    operations = 0 if program.circuit is None else sum(1 for _ in program.circuit.walk())
    return 10 + len(program.source) // 100 + operations


_texts: TextCache[Program] = TextCache(_weight)
"""A loop that submits the same text again reads it once."""


def source_places(program: Program) -> SourcePlaces:
    """Where the operations of the program's circuit stand in its source, as far as its format has places."""
    match program.format:
        case ProgramFormat.QPY:
            return _qiskit().places_in(program.source)  # type: ignore[no-any-return]
        case ProgramFormat.CIRQ_JSON:
            return _cirq().places_in(program.source)  # type: ignore[no-any-return]
        case ProgramFormat.OPENQASM2 | ProgramFormat.OPENQASM3:
            return _openqasm().places_in(program.source.decode())  # type: ignore[no-any-return]
        case _:
            return SourcePlaces()


def _from_text(text: str, name: str | None) -> Program:
    if _looks_like_llvm(text):
        return _qir().program_from_qir(text.encode(), name=name)  # type: ignore[no-any-return]
    stripped = text.strip()
    if "\n" not in stripped and ";" not in stripped and stripped.lower().endswith(_SUFFIXES):
        raise ProgramError(
            f"{stripped[:200]!r} looks like the name of a file; a string is taken as program text.",
            next_step=f"Give pathlib.Path({stripped[:200]!r}).",
        )
    if _QSHARP.match(stripped):
        raise _source_of_qsharp("The text is Q# source, which is compiled before it is submitted.")
    if stripped.startswith("{") and '"circuit' in stripped:
        return _ionq().program_from_ionq(text.encode(), name=name)  # type: ignore[no-any-return]
    if not stripped:
        raise ProgramError("The program is empty.", next_step=f"Give {ACCEPTED}.")
    return _openqasm().program_from_openqasm(text, name=name)  # type: ignore[no-any-return]


def _from_bytes(data: bytes, name: str | None) -> Program:
    if data.startswith(_BITCODE):
        return _qir().program_from_qir(data, name=name)  # type: ignore[no-any-return]
    if data.startswith(_QPY):
        return _qiskit().program_from_qpy(data, name)  # type: ignore[no-any-return]
    if data.lstrip()[:1] == b"{" and b'"cirq_type"' in data:
        return _cirq().program_from_json(data, name)  # type: ignore[no-any-return]
    return _from_text(_decode(data).removeprefix("\ufeff"), name)


def _from_file(path: Path, name: str | None) -> Program:
    if path.suffix.lower() == ".qs":
        raise _source_of_qsharp(f"{path.name!r} is Q# source, which is compiled before it is submitted.")
    if path.suffix.lower() not in _SUFFIXES:
        ending = f"its name ends in {path.suffix!r}" if path.suffix else "its name has no ending"
        raise ProgramError(
            f"{path.name!r} is not a program file: {ending}.",
            next_step=f"Give a file whose name ends in one of {', '.join(_SUFFIXES)}.",
        )
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ProgramError(
            f"The program file {str(path)!r} cannot be read.",
            cause=error.strerror or str(error),
            next_step="Check the path and its permissions.",
        ) from error
    _check_size(len(data), f"The program file {path.name!r}")
    return _from_bytes(data, path.stem if name is None else name)


def _source_of_qsharp(message: str) -> ProgramError:
    return ProgramError(
        message,
        next_step='Submit qsharp.compile("Main()") after qsharp.eval or qsharp.init(project_root=…), or save its text '
        "as a .ll file.",
    )


def _from_qir_data(obj: Any, name: str | None) -> Program:
    source = obj._repr_qir_()
    if name is None:
        own = getattr(obj, "_name", None)
        name = own if isinstance(own, str) else None
    data = source.encode() if isinstance(source, str) else bytes(source)
    _check_size(len(data), "The program")
    return _qir().program_from_qir(data, name=name)  # type: ignore[no-any-return]


def _looks_like_llvm(text: str) -> bool:
    """LLVM assembly names its module, a target, an opaque type or a function before anything OpenQASM could say."""
    for line in text.splitlines()[:2000]:
        stripped = line.strip()
        if stripped.startswith(("OPENQASM", "include ", "//", "/*")):
            return False
        if stripped.startswith(("; ModuleID", "source_filename", "target ", "define ", "declare ", "attributes #")):
            return True
        if stripped.startswith("%") and " = type " in stripped:
            return True
    return False


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ProgramError(
            "The program is neither UTF-8 text, LLVM bitcode nor QPY.",
            cause=f"byte {error.start} is not UTF-8",
            next_step=f"Give {ACCEPTED}.",
        ) from None


def _check_size(size: int, what: str) -> None:
    if size > MAX_BYTES:
        raise LimitError(
            f"{what} is larger than {MAX_BYTES // 2**20} MiB.",
            next_step="Use loops or sub-circuits, or split the program.",
            details={"max_bytes": MAX_BYTES},
        )


def _qiskit() -> ModuleType:
    try:
        from antiphon.frontends import qiskit
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("qiskit", "qiskit", "Reading a Qiskit circuit") from error
    return qiskit


def _cirq() -> ModuleType:
    try:
        from antiphon.frontends import cirq
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("cirq-core", "cirq", "Reading a Cirq circuit") from error
    return cirq


def _openqasm() -> ModuleType:
    from antiphon.frontends import openqasm

    return openqasm


def _ionq() -> ModuleType:
    from antiphon.frontends import ionq

    return ionq


def _qir() -> ModuleType:
    from antiphon.frontends import qir

    return qir
