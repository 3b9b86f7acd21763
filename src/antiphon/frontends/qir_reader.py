"""Reads a QIR module, text or bitcode, into plain values.

`read_qir` is a pure function of its bytes: pyqir's objects belong to one thread and none leaves it. A caller that does
not trust the bytes may run it in a worker process, since the result can be pickled.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from antiphon.errors import LimitError, MissingExtraError, ProgramError
from antiphon.frontends.qir_disassemble import disassembled

MAX_BYTES = 16_000_000
MAX_NESTING = 64
MAX_ARRAY = 100_000
BITCODE_MAGIC = b"BC\xc0\xde"
_WRAPPED_BITCODE_MAGIC = b"\xde\xc0\x17\x0b"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A constant qubit or result: its number."""

    number: int


@dataclass(frozen=True, slots=True)
class Number:
    """A constant of a number type; `width` is its bits for an integer, 0 for a double."""

    value: int | float
    width: int


@dataclass(frozen=True, slots=True)
class Local:
    """The value of another instruction, or a parameter of the function; `width` is its bits for an integer, else 0."""

    name: str
    width: int = 0


@dataclass(frozen=True, slots=True)
class Global:
    """The address of a global; `QirModule.arrays` has what stands there, if it is a constant array."""

    name: str


@dataclass(frozen=True, slots=True)
class Other:
    """Anything else: an undefined value, a constant expression."""


Operand: TypeAlias = "Pointer | Number | Local | Global | Other"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction.

    Attributes:
        opcode: LLVM's, in capitals.
        name: Of its value, unique in the function.
        operands: Values; of a switch the tested one and then the cases, of a phi one for each of `incoming`.
        callee: For a call, the function.
        label: For a call that records output, its label.
        predicate: For a comparison, LLVM's in capitals.
        successors: Blocks that may follow; of a switch the default and then one for each case.
        incoming: For a phi, the blocks that its values come from.
        width: Bits of its value if that is an integer, else 0.
        stride: For an address in an array, the array's length; 0 for an address in plain elements.
    """

    opcode: str
    name: str
    operands: tuple[Operand, ...]
    callee: str = ""
    label: str = ""
    predicate: str = ""
    successors: tuple[str, ...] = ()
    incoming: tuple[str, ...] = ()
    width: int = 0
    stride: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """A basic block; the last instruction leaves it."""

    name: str
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """A function; no blocks when it is only declared."""

    name: str
    parameters: tuple[str, ...]
    blocks: tuple[Block, ...]
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def is_entry_point(self) -> bool:
        """Whether a target may start it."""
        return "entry_point" in self.attributes


@dataclass(frozen=True, slots=True)
class QirModule:
    """All functions of a module, and its constant arrays of numbers and pointers, by name."""

    functions: dict[str, Function]
    arrays: dict[str, tuple[Operand, ...]] = field(default_factory=dict)

    @property
    def entry_points(self) -> tuple[str, ...]:
        """Names of the functions that may be started, in order."""
        return tuple(function.name for function in self.functions.values() if function.is_entry_point)


def is_bitcode(source: bytes) -> bool:
    """Whether the bytes are LLVM bitcode, by their first four."""
    return source[:4] in {BITCODE_MAGIC, _WRAPPED_BITCODE_MAGIC}


def screen(source: bytes) -> None:
    """Refuse what could exhaust the parser.

    Raises:
        LimitError: Too long, or nested too deeply.
        ProgramError: Text that is not UTF-8 or holds a NUL byte.
    """
    if len(source) > MAX_BYTES:
        raise LimitError(
            f"The QIR module has {len(source):,} bytes, more than the {MAX_BYTES:,} that are read.",
            next_step="Use loops in the source program, or split it.",
        )
    if is_bitcode(source):
        return
    try:
        text = source.decode()
    except UnicodeDecodeError as error:
        raise ProgramError(
            f"The QIR module is neither bitcode nor UTF-8 text (byte {error.start}).",
            next_step="Submit LLVM assembly (.ll) or LLVM bitcode (.bc).",
        ) from None
    if "\0" in text:
        raise ProgramError("The QIR text holds a NUL byte.", next_step="Submit LLVM assembly as plain text.")
    depth = 0
    for match in re.finditer(r'"[^"\n]*"|;[^\n]*|[({\[<]|[)}\]>]', text):
        word = match.group()
        if len(word) == 1 and word in "({[<":
            depth += 1
            if depth > MAX_NESTING:
                raise LimitError(
                    f"Brackets in the QIR text are nested more than {MAX_NESTING} deep.",
                    next_step="Name the inner types and constants.",
                )
        elif len(word) == 1 and word in ")}]>":
            depth = max(0, depth - 1)


def read_qir(source: bytes) -> QirModule:
    """Parse and verify a module.

    Raises:
        LimitError, ProgramError: From `screen`, or the module is not valid LLVM.
        MissingExtraError: pyqir is not installed.
    """
    screen(source)
    try:
        import pyqir
    except ImportError as error:
        raise MissingExtraError.of("pyqir", "qsharp", "Reading QIR") from error
    text = disassembled(source) if is_bitcode(source) else source.decode()
    # What pyqir made may be dropped in the thread that made it alone. An error goes to whichever thread asked, and with
    # it every frame that it came through: none of them may hold a part of the module.
    found = _parsed(pyqir, text)
    if isinstance(found, str):
        raise _invalid(found)
    return found


def _parsed(pyqir: Any, text: str) -> QirModule | str:
    """The module, or why the text is none."""
    try:
        module = pyqir.Module.from_ir(pyqir.Context(), text, "program")
        fault = module.verify()
        if fault is not None:
            return str(fault)
        functions = [_function(pyqir, function) for function in module.functions]
        arrays = {one.name: found for one in module.global_variables if (found := _array(str(one))) is not None}
        return QirModule({function.name: function for function in functions}, arrays)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the native reader derives from BaseException alone
        return str(error)


def _invalid(reason: str) -> ProgramError:
    return ProgramError(
        "The QIR module is not valid.",
        cause=reason.strip()[:300],
        next_step="Submit what the compiler wrote, unchanged: LLVM assembly or bitcode.",
        code="qir-invalid",
    )


_ATTRIBUTES = ("entry_point", "qir_profiles", "required_num_qubits", "required_num_results", "output_labeling_schema")


def _function(pyqir: Any, function: Any) -> Function:
    found = function.attributes.func
    attributes = {key: found[key].string_value or "" for key in _ATTRIBUTES if key in found}
    names: dict[Any, str] = {}
    parameters = tuple(_name(names, parameter) for parameter in function.params)
    blocks = list(function.basic_blocks)
    labels = {block: f"{index}:{block.name}" for index, block in enumerate(blocks)}
    read = tuple(
        Block(labels[block], tuple(_instruction(pyqir, names, labels, one) for one in block.instructions))
        for block in blocks
    )
    return Function(function.name, parameters, read, attributes)


def _name(names: dict[Any, str], value: Any) -> str:
    # Values of text such as %0 have no name of their own; pyqir compares values by identity in the module.
    return names.setdefault(value, f"{len(names)}:{value.name}")


def _instruction(pyqir: Any, names: dict[Any, str], labels: dict[Any, str], one: Any) -> Instruction:
    opcode = str(one.opcode).rpartition(".")[2]
    name = _name(names, one)
    if isinstance(one, pyqir.Call):
        callee = one.callee
        called = callee.name if isinstance(callee, pyqir.Function) else ""
        arguments = list(one.args)
        label = ""
        if called.endswith("_record_output") and arguments:
            label = _label(pyqir, arguments.pop())
        width = one.type.width if isinstance(one.type, pyqir.IntType) else 0
        return Instruction(opcode, name, _operands(pyqir, names, arguments), called, label, width=width)
    operands = list(one.operands)
    width = one.type.width if isinstance(one.type, pyqir.IntType) else 0
    if opcode == "BR":
        # LLVM stores the targets of a conditional branch after the condition, the false one first.
        targets = tuple(labels[block] for block in reversed(operands) if isinstance(block, pyqir.BasicBlock))
        values = [value for value in operands if not isinstance(value, pyqir.BasicBlock)]
        return Instruction(opcode, name, _operands(pyqir, names, values), successors=targets)
    if isinstance(one, pyqir.Switch):
        values = [one.cond, *(value for value, _ in one.cases)]
        targets = tuple(labels[block] for block in (one.default, *(block for _, block in one.cases)))
        return Instruction(opcode, name, _operands(pyqir, names, values), successors=targets)
    if one.successors:
        targets = tuple(labels[block] for block in one.successors)
        return Instruction(opcode, name, (), successors=targets)
    if isinstance(one, pyqir.Phi):
        values = [value for value, _ in one.incoming]
        sources = tuple(labels[block] for _, block in one.incoming)
        return Instruction(opcode, name, _operands(pyqir, names, values), incoming=sources, width=width)
    predicate = str(one.predicate).rpartition(".")[2] if isinstance(one, pyqir.ICmp | pyqir.FCmp) else ""
    stride = 0
    if opcode == "GET_ELEMENT_PTR":
        # The type of the elements is in the printed form alone.
        shape = _ADDRESS.match(str(one))
        stride = -1 if shape is None else int(shape["length"] or 0)
    found = _operands(pyqir, names, operands)
    return Instruction(opcode, name, found, predicate=predicate, width=width, stride=stride)


_ADDRESS = re.compile(r"\s*\S+ = getelementptr (?:inbounds )?(?:\[(?P<length>\d{1,9}) x [^\[{]+?\]|[^\[{ ]+),")
_ARRAY = re.compile(
    r"@\S+ = [^\n\[{]*\bconstant \[(\d{1,6}) x (ptr|i\d+|double|%\w+\*)\] (\[.*\]|zeroinitializer)[^\]]*"
)
_ELEMENT = re.compile(r"(?:ptr|i\d+|double|%\w+\*) (null|inttoptr \([^)]*\)|[^,\s\]]+)")


def _array(text: str) -> tuple[Operand, ...] | None:
    """What a constant array of numbers or pointers holds; None for any other global."""
    match = _ARRAY.fullmatch(text.strip())
    if match is None or int(match[1]) > MAX_ARRAY:
        return None
    kind = match[2]
    if match[3] == "zeroinitializer":
        words = ["null" if kind.endswith(("ptr", "*")) else "0"] * int(match[1])
    else:
        words = _ELEMENT.findall(match[3][1:-1])
    if len(words) != int(match[1]):
        return None
    try:
        return tuple(_element(kind, word) for word in words)
    except ValueError:
        return None


def _element(kind: str, word: str) -> Operand:
    if kind == "double":
        # LLVM writes a double that no short decimal says as the hexadecimal digits of its bytes.
        return Number(struct.unpack(">d", bytes.fromhex(word[2:]))[0] if word.startswith("0x") else float(word), 0)
    if kind.startswith("i"):
        return Number({"true": 1, "false": 0}[word] if word in {"true", "false"} else int(word), int(kind[1:]))
    return _pointer(f"ptr {word}" if kind == "ptr" else f"{kind} {word}")


_BYTES = re.compile(r'\[\d+ x i8\] c"([^"]{0,1000})"')


def _label(pyqir: Any, value: Any) -> str:
    # Read from the printed form: pyqir's own reading of bytes crashes the process where there are none.
    if not isinstance(value, pyqir.GlobalVariable) or value.initializer is None:
        return ""
    match = _BYTES.fullmatch(str(value.initializer))
    return "" if match is None else re.sub(r"\\[0-9A-F]{2}", "", match[1])


def _operands(pyqir: Any, names: dict[Any, str], values: list[Any]) -> tuple[Operand, ...]:
    return tuple(_operand(pyqir, names, value) for value in values)


_POINTER = re.compile(r"(?:\S+\*|ptr) (?:null|inttoptr \(i64 (\d{1,9}) to (?:\S+\*|ptr)\))")


def _pointer(text: str) -> Operand:
    # Read from the printed form: pyqir's ptr_id crashes the process on pointers that are undefined or no number.
    match = _POINTER.fullmatch(text)
    return Other() if match is None else Pointer(int(match[1] or 0))


def _operand(pyqir: Any, names: dict[Any, str], value: Any) -> Operand:
    if isinstance(value, pyqir.IntConstant):
        return Number(value.value, value.type.width)
    if isinstance(value, pyqir.FloatConstant):
        return Number(float(value.value), 0)
    if isinstance(value, pyqir.GlobalVariable):
        return Global(value.name)
    if isinstance(value, pyqir.Constant):
        return _pointer(str(value)) if type(value) is pyqir.Constant else Other()
    if isinstance(value, pyqir.BasicBlock):
        return Other()
    return Local(_name(names, value), value.type.width if isinstance(value.type, pyqir.IntType) else 0)
