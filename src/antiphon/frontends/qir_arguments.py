"""Arguments of a QIR entry point, written into the module: what is left is a module whose entry point takes none.

Every reader, simulator and record then has the program that runs, with nothing beside it. The words are those of Azure
Quantum's `arguments`: `{"name", "value", "type"}`. pyqir names the parameters, spells the constants and checks what
comes out; only the exchange of a name that occurs nowhere else is one of text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from antiphon.errors import AntiphonError, MissingExtraError, ProgramError, UnsupportedProgramError
from antiphon.frontends.qir_disassemble import disassembled
from antiphon.frontends.qir_reader import is_bitcode, screen

TYPES = ("Int", "Double", "Boolean", "Pauli")
"""Types whose values are constants of a QIR profile."""

_NOT_HERE = {
    "Result": "a result is where a measurement is written, and no constant of a QIR profile",
    "Range": "it is a structure, which no engine here takes apart",
    "String": "it is in memory, which no QIR profile reads",
    "Array": "it is in memory, which no QIR profile reads",
}
_PAULI = {"PauliI": 0, "PauliX": 1, "PauliY": 3, "PauliZ": 2}  # QIR's own numbers, two bits each
_BYTE = 8  # entry points for callers in C have whole bytes


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter: its name, "" for one that is numbered, and its bits for an integer, 0 for anything else."""

    name: str
    width: int
    is_double: bool

    @property
    def type(self) -> str:
        if self.width:
            return f"i{self.width}"
        return "double" if self.is_double else "pointer or structure"


def with_arguments(source: bytes, entry_point: str | None, arguments: Sequence[Mapping[str, Any]]) -> bytes:
    """The module with the arguments of its entry point written out: text for text, bitcode for bitcode.

    They go to the parameters of their names; where the module names none, to the parameters in order.

    Args:
        source: LLVM assembly as UTF-8 bytes, or LLVM bitcode.
        entry_point: The function; None for the only one.
        arguments: `{"name", "value", "type"}` of each; see `TYPES`.

    Raises:
        UnsupportedProgramError: The entry point takes none, or one is of a type that no QIR profile has (code
            "arguments-unsupported").
        ProgramError: They do not fit the parameters (code "arguments-invalid"), or the module is not valid.
        LimitError: The module is too long, or nested too deeply.
        MissingExtraError: pyqir is not installed.
    """
    if not arguments:
        return source
    screen(source)
    try:
        import pyqir
    except ImportError as error:
        raise MissingExtraError.of("pyqir", "qsharp", "Reading QIR") from error
    text = disassembled(source) if is_bitcode(source) else source.decode()
    # As in `qir_reader`: no frame that an error comes through may hold a part of pyqir's module.
    found = _parameters(pyqir, text, entry_point)
    if found is None:
        return source  # no module, or no such entry point: reading it tells
    name, parameters = found
    numbers = _numbers(name, parameters, arguments)
    written = _written(pyqir, text, name, numbers, as_bitcode=is_bitcode(source))
    if isinstance(written, str):
        raise _invalid(name, f"the module with them is not valid: {written[:300]}")
    return written


def _parameters(pyqir: Any, text: str, entry_point: str | None) -> tuple[str, list[_Parameter]] | None:
    try:
        entry = _entry(pyqir, pyqir.Module.from_ir(pyqir.Context(), text, "program"), entry_point)
        return None if entry is None else (entry.name, [_parameter(pyqir, one) for one in entry.params])
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - a panic of the native reader derives from BaseException alone
        return None


def _entry(pyqir: Any, module: Any, entry_point: str | None) -> Any:
    entries = [function for function in module.functions if pyqir.is_entry_point(function)]
    chosen = [function for function in entries if entry_point in (None, function.name)]
    return chosen[0] if len(chosen) == 1 and chosen[0].basic_blocks else None


def _parameter(pyqir: Any, value: Any) -> _Parameter:
    width = value.type.width if isinstance(value.type, pyqir.IntType) else 0
    return _Parameter(value.name, width, bool(value.type.is_double))


def _numbers(
    name: str, parameters: Sequence[_Parameter], arguments: Sequence[Mapping[str, Any]]
) -> list[tuple[int, int | float]]:
    """Width (0 for a double) and value of each parameter, in order."""
    if not parameters:
        raise UnsupportedProgramError(
            f"The entry point {name} takes no arguments, and some were given.",
            code="arguments-unsupported",
            cause="entry points that the clients' compilers write have none",
            next_step='Compile the call with its arguments written out: qsharp.compile("Main(3, 0.5)").',
        )
    return [
        (parameter.width, _number(name, parameter, argument))
        for parameter, argument in zip(parameters, _in_order(name, parameters, arguments), strict=True)
    ]


def _in_order(
    name: str, parameters: Sequence[_Parameter], arguments: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    names = [parameter.name for parameter in parameters]
    told = f"it takes {', '.join(f'{one.name or index} ({one.type})' for index, one in enumerate(parameters))}"
    if len(arguments) != len(parameters):
        raise _invalid(name, f"{told}, and {len(arguments)} were given")
    if not all(names):
        return list(arguments)
    by_name = {str(argument.get("name")): argument for argument in arguments}
    if set(by_name) != set(names):
        raise _invalid(name, f"{told}, and they are named {', '.join(by_name)}")
    return [by_name[each] for each in names]


def _number(name: str, parameter: _Parameter, argument: Mapping[str, Any]) -> int | float:
    kind, value = argument.get("type"), argument.get("value")
    label = parameter.name or argument.get("name")
    if kind in _NOT_HERE:
        raise UnsupportedProgramError(
            f"The argument {label!r:.100} is of the type {kind}, which cannot be given to an entry point here.",
            code="arguments-unsupported",
            cause=_NOT_HERE[str(kind)],
            next_step=f"Give {', '.join(TYPES)}, or compile the call with its arguments written out.",
            details={"type": kind, "types": list(TYPES)},
        )
    width = parameter.width
    match kind:
        case "Int" if width > 1 and isinstance(value, int) and not isinstance(value, bool):
            if -(1 << width - 1) <= value < 1 << width - 1:
                return value
        case "Double" if parameter.is_double and isinstance(value, int | float) and not isinstance(value, bool):
            if math.isfinite(value):
                return float(value)
        case "Boolean" if width in {1, _BYTE} and isinstance(value, bool):
            return int(value)
        case "Pauli" if width in {2, _BYTE} and isinstance(value, str) and value in _PAULI:
            return _PAULI[value]
    raise _invalid(
        name,
        f"{label!r:.100} is the {kind!r:.40} {value!r:.100}, and its parameter takes {parameter.type}",
    )


def _written(
    pyqir: Any, text: str, name: str, numbers: Sequence[tuple[int, int | float]], *, as_bitcode: bool
) -> bytes | str:
    """The module, or why it is none."""
    prefix = "argument."
    while prefix in text:
        prefix += "argument."
    try:
        context = pyqir.Context()
        module = pyqir.Module.from_ir(context, text, "program")
        entry = _entry(pyqir, module, name)
        spelled: dict[str, str] = {}
        for index, (parameter, (width, value)) in enumerate(zip(entry.params, numbers, strict=True)):
            parameter.name = f"{prefix}{index}."
            # Whole numbers are given to pyqir without a sign, and spelled by LLVM with theirs.
            constant = pyqir.const(parameter.type, value % (1 << width) if width else value)
            spelled[f"%{parameter.name}"] = str(constant).partition(" ")[2]  # behind its type
        bare = _without_parameters(str(module), next(iter(spelled)))
        for token, constant_text in spelled.items():
            bare = bare.replace(token, constant_text)
        again = pyqir.Module.from_ir(pyqir.Context(), bare, "program")
        fault = again.verify()
        if fault is not None:
            return str(fault)
        return bytes(again.bitcode) if as_bitcode else str(again).encode()
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - as above
        return str(error)


def _without_parameters(text: str, first: str) -> str:
    """The printed module, the list of parameters that `first` begins left empty: no value is printed before it."""
    place = text.index(first)
    start = text.rindex("(", 0, place)
    while text.count("(", start, place) == text.count(")", start, place):  # of an attribute of the parameter
        start = text.rindex("(", 0, start)
    end, depth = start + 1, 1
    while depth:
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        end += 1
    return f"{text[: start + 1]}{text[end - 1 :]}"


def _invalid(name: str, cause: str) -> AntiphonError:
    return ProgramError(
        f"The arguments do not fit the entry point {name}.",
        code="arguments-invalid",
        cause=cause,
        next_step="Send name, value and type of each parameter, of the type Int, Double, Boolean or Pauli.",
    )
