"""Reads OpenQASM 2 and 3 with the QDK's parser; the one file that knows its preview API.

The QDK's *syntax* tree is used, for both versions, so that Qiskit is not needed. Its semantic tree is not: it rounds
angles to fixed point, refuses integers where angles are expected, and orders the bits of a register's value the other
way round. It parses version 2's `^` with the precedence of exclusive-or, so `^` is spelled `**` before it gets the
text. It drops the exponent of a duration (`1e-7s` is read as one second, qdk 1.33), so such durations are spelled out.
The parser has no file system: an `include` that passed the screen resolves to nothing it could read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from antiphon.errors import LimitError, MissingExtraError, ProgramError, UnsupportedProgramError
from antiphon.frontends import openqasm_syntax as syntax
from antiphon.frontends.openqasm_screen import ALLOWED_INCLUDES, position, screen
from antiphon.frontends.openqasm_syntax import Expression, Statement


def located(text: str, at: int) -> str:
    """`line L, column C: the line itself`, from a byte offset into the user's own text."""
    offset = len(text.encode()[:at].decode(errors="ignore"))
    line, column = position(text, offset)
    shown = text.split("\n")[line - 1].strip()
    return f"line {line}, column {column}: {shown[:120]}"


@dataclass(frozen=True, slots=True)
class ParsedText:
    """Major version, statements, and the text that their positions refer to."""

    version: int
    text: str
    statements: tuple[Statement, ...]


def parse(text: str) -> ParsedText:
    """The statements of OpenQASM text, screened first.

    Raises:
        ProgramError: The text does not parse; the message has line, column and the parser's words.
        LimitError, UnsupportedProgramError: From the screen.
        MissingExtraError: The QDK is not installed.
    """
    version = screen(text)
    spelled = _respell_powers(text) if version == 2 else _respell_durations(text)
    try:
        os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")
        from qdk.openqasm import parse as qdk_parse
    except ImportError as error:
        raise MissingExtraError.of("qdk", "qsharp", "Reading OpenQASM") from error
    try:
        result = qdk_parse(spelled, includes={})
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a panic of the parser derives from BaseException alone
        raise ProgramError(
            "The OpenQASM parser failed on this text.", cause=str(error)[:300], next_step="Simplify the program."
        ) from None
    _raise_diagnostics(spelled, result.diagnostics)
    try:
        return ParsedText(version, spelled, _statements(result.program.statements))
    except RecursionError:
        raise LimitError(
            "The OpenQASM program is nested too deeply.", next_step="Use gate definitions and constants."
        ) from None


def _respell_powers(text: str) -> str:
    # Comments may hold a caret too; there it does no harm, and strings hold only the names of standard files.
    return text.replace("^", "**")


_SCIENTIFIC_DURATION = re.compile(
    r"(?<![\w.])((?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)[eE][+-]?\d{1,2})(\s*(?:dt|ns|us|µs|ms|s)\b)"
)


def _respell_durations(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        return format(Decimal(found[1].replace("_", "")), "f") + found[2]

    return _SCIENTIFIC_DURATION.sub(plain, text)


def _raise_diagnostics(text: str, diagnostics: Sequence[Any]) -> None:
    for diagnostic in diagnostics:
        if str(diagnostic.severity).rpartition(".")[2] != "Error":
            continue
        at = min((label.span.lo for label in diagnostic.labels), default=0)
        where = located(text, at)
        raise ProgramError(
            f"The OpenQASM text does not parse at {where}",
            cause=str(diagnostic.message)[:300],
            next_step="Correct the statement at that place.",
            code="openqasm-syntax",
            details={"errors": len(diagnostics)},
        )
    if not text.strip():
        raise ProgramError("The OpenQASM text is empty.", next_step="Declare qubits and apply gates.")


def _kind(node: Any) -> str:
    return type(node).__name__


def _at(node: Any) -> int:
    return int(node.span.lo)


def _type(node: Any) -> syntax.TypeName:
    kind = _kind(node).removesuffix("Type").lower()
    size = node.size if kind in {"bit", "int", "uint", "float", "angle", "qubit"} else None
    return syntax.TypeName(kind, None if size is None else _expression(size))


def _item(node: Any) -> Expression | syntax.Slice | syntax.SetOf:
    match _kind(node):
        case "RangeDefinition":
            parts = (None if part is None else _expression(part) for part in (node.start, node.step, node.end))
            return syntax.Slice(_at(node), *parts)
        case "DiscreteSet":
            return syntax.SetOf(_at(node), _expressions(node.values))
        case _:
            return _expression(node)


def _indexed(base: Expression, indices: Sequence[Any]) -> Expression:
    for index in indices:
        items = index.values if _kind(index) == "IndexList" else [index]
        for item in items:
            base = syntax.Index(_at(item), base, _item(item))
    return base


def _expressions(nodes: Sequence[Any]) -> tuple[Expression, ...]:
    return tuple(_expression(node) for node in nodes)


def _expression(node: Any) -> Expression:
    at = _at(node)
    match _kind(node):
        case "IntegerLiteral" | "FloatLiteral" | "BooleanLiteral":
            return syntax.Literal(at, node.value)
        case "Identifier":
            return syntax.Name(at, node.name)
        case "IndexedIdentifier":
            return _indexed(_expression(node.name), node.indices)
        case "IndexExpression":
            return _indexed(_expression(node.collection), node.indices)
        case "BinaryExpression":
            return syntax.Binary(at, node.op.value, _expression(node.lhs), _expression(node.rhs))
        case "UnaryExpression":
            return syntax.Unary(at, node.op.value, _expression(node.operand))
        case "ParenExpression":
            return _expression(node.operand)
        case "FunctionCall":
            return syntax.CallOf(at, node.name.name, _expressions(node.args))
        case "BitstringLiteral":
            return syntax.BitString(at, node.value, node.width)
        case "DurationLiteral":
            return syntax.DurationLiteral(at, node.value, str(node.unit).rpartition(".")[2].lower())
        case "Cast":
            return syntax.CastTo(at, _type(node.type), _expression(node.operand))
        case "Concatenation":
            return syntax.Join(at, _expressions(node.operands))
        case "QuantumMeasurement":
            return syntax.MeasureOf(at, _joined(node))
        case "HardwareQubit":
            return syntax.Name(at, "$" + str(node.name).removeprefix("$"))
        case other:
            return syntax.Unknown(at, re.sub(r"(?<!^)(?=[A-Z])", " ", other).lower())


def _joined(node: Any) -> Expression:
    qubits = _expressions(node.qubits)
    return qubits[0] if len(qubits) == 1 else syntax.Join(_at(node), qubits)


def _statements(nodes: Sequence[Any]) -> tuple[Statement, ...]:
    return tuple(_statement(node) for node in nodes)


def _body(node: Any) -> tuple[Statement, ...]:
    if node is None:
        return ()
    return _statements(node.statements) if _kind(node) == "CompoundStatement" else (_statement(node),)


def _modifiers(node: Any) -> tuple[syntax.Modifier, ...]:
    return tuple(
        syntax.Modifier(m.modifier.value, None if m.argument is None else _expression(m.argument))
        for m in node.modifiers
    )


_WAYS_OUT = {
    "ExternDeclaration": ("an extern function", "Compute its value before you submit and pass it as an input."),
    "Pragma": ("a pragma", "Remove it."),
    "CalibrationStatement": ("a calibration block", "Describe the circuit with gates."),
    "CalibrationDefinition": ("a calibration definition", "Describe the circuit with gates."),
    "CalibrationGrammarDeclaration": ("a calibration grammar", "Describe the circuit with gates."),
    "ExpressionStatement": ("an expression whose value is not used", "Assign it, or remove it."),
}


def _statement(node: Any) -> Statement:
    match _kind(node):
        case "QuantumGate" | "QuantumPhase" | "QuantumMeasurementStatement" | "QuantumReset" | "QuantumBarrier":
            return _quantum(node)
        case "DelayInstruction" | "QuantumGateDefinition" | "QubitDeclaration":
            return _quantum(node)
        case (
            "CompoundStatement"
            | "Box"
            | "BranchingStatement"
            | "WhileLoop"
            | "ForInLoop"
            | "SwitchStatement"
            | "BreakStatement"
            | "ContinueStatement"
            | "EndStatement"
        ):
            return _control(node)
        case _:
            return _classical(node)


def _quantum(node: Any) -> Statement:
    at = _at(node)
    match _kind(node):
        case "QuantumGate" | "QuantumPhase" as kind:
            if node.duration is not None:
                return syntax.Unsupported(at, "a gate with a duration", "Use a delay for idle time.")
            name = node.name.name if kind == "QuantumGate" else "gphase"
            return syntax.GateCall(at, name, _modifiers(node), _expressions(node.args), _expressions(node.qubits))
        case "QuantumMeasurementStatement":
            return syntax.MeasureInto(at, _joined(node), None if node.target is None else _expression(node.target))
        case "QuantumReset":
            return syntax.ResetOf(at, _joined(node))
        case "QuantumBarrier":
            return syntax.BarrierOn(at, _expressions(node.qubits))
        case "DelayInstruction":
            return syntax.DelayOn(at, _expression(node.duration), _expressions(node.qubits))
        case "QubitDeclaration":
            return syntax.DeclareQubits(at, node.qubit.name, None if node.size is None else _expression(node.size))
        case _:
            parameters, qubits = (tuple(p.name for p in group) for group in (node.params, node.qubits))
            return syntax.DefineGate(at, node.name.name, parameters, qubits, _statements(node.body))


def _control(node: Any) -> Statement:
    at = _at(node)
    match _kind(node):
        case "CompoundStatement":
            return syntax.Block(at, _statements(node.statements))
        case "Box":
            if node.duration is not None:
                return syntax.Unsupported(at, "a box with a duration", "Use delays for idle time.")
            return syntax.Block(at, _statements(node.body))
        case "BranchingStatement":
            return syntax.Branch(at, _expression(node.condition), _body(node.if_body), _body(node.else_body))
        case "WhileLoop":
            return syntax.Repeat(at, _expression(node.condition), _body(node.body))
        case "ForInLoop":
            name = node.identifier.name
            return syntax.ForEach(at, _type(node.type), name, _item(node.iterable), _body(node.body))
        case "SwitchStatement":
            cases = tuple((_expressions(case.labels), _switch_body(case.body)) for case in node.cases)
            default = None if node.default is None else _switch_body(node.default)
            return syntax.Switch(at, _expression(node.target), cases, default)
        case other:
            return syntax.Leave(at, other.removesuffix("Statement").lower())


def _switch_body(body: Any) -> tuple[Statement, ...]:
    return _body(body) if hasattr(body, "statements") else _statements(body)


def _classical(node: Any) -> Statement:
    at = _at(node)
    match _kind(node):
        case "Include":
            if node.filename not in ALLOWED_INCLUDES:
                raise ProgramError(
                    "An include was refused.", next_step="Paste the definitions.", code="include-refused"
                )
            return syntax.Include(at, node.filename)
        case "ClassicalDeclaration" | "ConstantDeclaration" as kind:
            value = None if node.init_expr is None else _expression(node.init_expr)
            is_const = kind == "ConstantDeclaration"
            return syntax.Declare(at, _type(node.type), node.identifier.name, value, is_const)
        case "IODeclaration":
            return syntax.Declare(at, _type(node.type), node.identifier.name, None, io=node.io_keyword.value)
        case "AliasStatement":
            parts = _expressions(node.exprs)
            name = node.target.name
            return syntax.Alias(at, name, parts[0] if len(parts) == 1 else syntax.Join(at, parts))
        case "ClassicalAssignment" | "CompoundAssignment" as kind:
            op = node.op.value if kind == "CompoundAssignment" else ""
            return syntax.Assign(at, _expression(node.lhs), op, _expression(node.rhs))
        case "SubroutineDefinition":
            parameters = tuple((_type(p.type), p.identifier.name) for p in node.params)
            returns = None if node.return_type is None else _type(node.return_type)
            return syntax.DefineSubroutine(at, node.name.name, parameters, returns, _statements(node.body))
        case "ReturnStatement":
            return syntax.Return(at, None if node.value is None else _expression(node.value))
        case "ExpressionStatement" if _kind(node.expr) == "FunctionCall":
            call = _expression(node.expr)
            assert isinstance(call, syntax.CallOf)
            return syntax.CallAlone(at, call)
        case "ExternDeclaration" | "Pragma" | "ExpressionStatement" as kind:
            return syntax.Unsupported(at, *_WAYS_OUT[kind])
        case "CalibrationStatement" | "CalibrationDefinition" | "CalibrationGrammarDeclaration" as kind:
            return syntax.Unsupported(at, *_WAYS_OUT[kind])
        case other:
            return syntax.Unsupported(at, f"a statement of the kind {other}", "Remove it.")


def unsupported(text: str, at: int, what: str, way_out: str) -> UnsupportedProgramError:
    """The one way to say what cannot be expressed, and where."""
    return UnsupportedProgramError(
        f"{what} cannot be run here, at {located(text, at)}", next_step=way_out, details={"instruction": what}
    )
