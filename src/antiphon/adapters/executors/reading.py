"""Reading the programs of strangers: in worker processes that are killed when they hang, crash or eat memory.

Readers are whole SDKs and a compiler's parser, made for files that their user wrote. Some run for ever on a damaged
file or end the process (Qiskit's for QPY, LLVM's), and none has a limit of its own. So a server reads apart; only text
that is plainly harmless (`plain_text.is_plain`) is read where it is asked for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from antiphon.adapters.executors import failures
from antiphon.adapters.executors.bounded_calls import BoundedCalls
from antiphon.adapters.executors.frames import decode, encode
from antiphon.adapters.executors.places import Places
from antiphon.adapters.executors.plain_text import is_plain
from antiphon.adapters.executors.read_programs import ReadPrograms
from antiphon.domain.circuits import Circuit, Operation, Unitary
from antiphon.domain.evolve import evolve
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.errors import AntiphonError, ProgramError, StoreError
from antiphon.frontends.codec import FrontendCodec

READERS = 2
READ_SECONDS = 10.0
READ_MEMORY = 2**30
"""Bytes that reading one program may take beyond what the SDKs themselves do."""
PATIENCE_SECONDS = 45.0
"""A call waits so long at most: the programs before it have taken all their time. The start of a reader counts."""

_TEXT_READERS = ("antiphon.frontends.openqasm", "antiphon.frontends.qir", "antiphon.frontends.ionq", "pyqir")
_SDKS = ("antiphon.frontends.qiskit", "antiphon.frontends.cirq")
_OF_SDKS = frozenset({ProgramFormat.QPY, ProgramFormat.CIRQ_JSON})
_PIECE = 5_000
_OPERATION_BYTES = 400
_ENTRY_BYTES = 2_048


class ReadingCodec:
    """Implements `ports.program_codec.ProgramCodec`; thread-safe. Remembers what it read.

    Args:
        readers: Worker processes at most for QIR, OpenQASM and IonQ's JSON, and again for what Qiskit and Cirq read,
            which take seconds to load. They start with the first program that needs one.
        seconds: For reading one program.
        memory_bytes: For reading one program; see `WorkerPool`.
        room_bytes: For programs that were read, about.
        patience_seconds: A call waits so long at most.
        places: For calls that are read or wait at the same time.
    """

    def __init__(
        self,
        *,
        readers: int = READERS,
        seconds: float = READ_SECONDS,
        memory_bytes: int = READ_MEMORY,
        room_bytes: int = 64 * 2**20,
        patience_seconds: float = PATIENCE_SECONDS,
        places: Places | None = None,
    ) -> None:
        self._here = FrontendCodec()
        places = places or Places()
        self._texts, self._sdks = (
            BoundedCalls(
                name,
                FrontendCodec,
                workers=readers,
                seconds=seconds,
                memory_bytes=memory_bytes,
                patience_seconds=patience_seconds,
                busy=_busy,
                preload=modules,
                places=places,
            )
            for name, modules in (("readers", _TEXT_READERS), ("readers with SDKs", _SDKS))
        )
        self._known = ReadPrograms(room_bytes)

    def load(
        self,
        format: ProgramFormat,  # noqa: A002 - the field's own word
        source: bytes,
        *,
        name: str,
        entry_point: str | None,
        arguments: Sequence[Mapping[str, Any]] = (),
    ) -> Program:
        """The program of a stored artefact, with the arguments of a QIR entry point written into it.

        Raises:
            ProgramError: It does not parse, or its reader had to be killed (code "program-unreadable").
            LimitError: It is larger than what is read.
            StoreError: Too many are being read (code "readers-busy"); nothing is known about the program.
            MissingExtraError: The SDK that reads this format is not installed.
        """
        given = json.dumps(list(arguments), sort_keys=True) if arguments else ""
        return _named(self._read(ReadProgram(format, source, entry_point, given)), name)

    def read(self, source: str | bytes) -> Program:
        """The program in a text or in bytes of any format.

        Raises:
            ProgramError, LimitError, StoreError, MissingExtraError: As `load`.
        """
        return self._read(ReadProgram(None, source, None))

    def circuit_text(self, circuit: Circuit) -> str:
        """A circuit as OpenQASM 3."""
        return self._here.circuit_text(circuit)

    def compiled_text(self, program: Program) -> str | None:
        """The compiled circuit as OpenQASM 3, or None for an opaque program."""
        return self._here.compiled_text(program)

    def close(self) -> None:
        """Kill the readers; who waits for one is told that it is closed."""
        self._texts.close()
        self._sdks.close()

    def _read(self, request: ReadProgram) -> Program:
        key = request.key()
        known = self._known.get(key)
        if isinstance(known, AntiphonError):
            raise copy(known)  # who catches it may add to its message
        if known is not None:
            return known
        if _is_harmless(request):
            program = request.read(self._here)
            weight = _weight(program.source, program.circuit.operations if program.circuit else ())
        else:
            try:
                program, weight = self._read_apart(request)
            except ProgramError as error:
                if error.code == "program-unreadable":
                    self._known.refuse(key, error)
                raise
        self._known.keep(key, program, weight)
        # The engine asks again by what was read, not by what was given.
        self._known.keep(ReadProgram(program.format, program.source, program.entry_point).key(), program, weight)
        return program

    def _read_apart(self, request: ReadProgram) -> tuple[Program, int]:
        readers = self._sdks if _needs_sdk(request) else self._texts
        answer = readers.ask(request)
        if isinstance(answer, Pieces):
            return answer.program(), answer.weight
        if not isinstance(answer, AntiphonError):
            raise TypeError(f"a reader answered {type(answer).__name__}")
        cause = readers.why_killed(answer, "Reading it")
        raise answer if cause is None else _unreadable(answer, cause, readers)


@dataclass(frozen=True, slots=True)
class ReadProgram:
    """The request for a reader; the answer is `Pieces` or an `AntiphonError`.

    Attributes:
        format: None: to be recognised.
        arguments: Those of the entry point as JSON text; "" for none.
    """

    format: ProgramFormat | None
    source: str | bytes
    entry_point: str | None
    arguments: str = ""

    def key(self) -> bytes:
        """The same for the same request."""
        source = self.source.encode(errors="surrogatepass") if isinstance(self.source, str) else self.source
        kind = "text" if isinstance(self.source, str) else "bytes"
        facts = f"{self.format}\0{kind}\0{self.entry_point!r}\0{self.arguments}\0"
        return hashlib.sha256(facts.encode(errors="surrogatepass") + source).digest()

    def read(self, codec: FrontendCodec) -> Program:
        """Read it here."""
        if self.format is None:
            return codec.read(self.source)
        assert isinstance(self.source, bytes)
        arguments = json.loads(self.arguments) if self.arguments else ()
        return codec.load(self.format, self.source, name="", entry_point=self.entry_point, arguments=arguments)

    def run(self, loaded: FrontendCodec, memory_limit: int | None) -> object:
        """Read it in a reader."""
        try:
            return Pieces.of(self.read(loaded))
        except AntiphonError as error:
            return error
        except RecursionError as error:
            return self.failed(error)
        except MemoryError as error:
            return failures.memory_exhausted(memory_limit, str(error) or "MemoryError")

    def failed(self, error: BaseException) -> AntiphonError:
        """Code "program-unreadable": the SDK's reader raised what no front end expects."""
        return ProgramError(
            "The program cannot be read.",
            code="program-unreadable",
            cause=f"{type(error).__name__}: {error}"[:500],
            next_step="Check that it is complete and not damaged: read it with your own SDK and write it again.",
        )


@dataclass(frozen=True, slots=True)
class Pieces:
    """A program with its operations pickled in pieces: unpickling is one long hold of the interpreter otherwise."""

    rest: Program
    pieces: tuple[bytes, ...]
    weight: int

    @classmethod
    def of(cls, program: Program) -> Pieces:
        """Take a program apart."""
        circuit = program.circuit
        if circuit is None:
            return cls(program, (), _weight(program.source, ()))
        operations = circuit.operations
        pieces = tuple(encode(operations[start : start + _PIECE]) for start in range(0, len(operations), _PIECE))
        weight = _weight(program.source, operations)
        return cls(replace(program, circuit=replace(circuit, operations=())), pieces, weight)

    def program(self) -> Program:
        """Put it together again."""
        if self.rest.circuit is None or not self.pieces:
            return self.rest
        operations = tuple(operation for piece in self.pieces for operation in decode(piece))
        return replace(self.rest, circuit=replace(self.rest.circuit, operations=operations))


def _needs_sdk(request: ReadProgram) -> bool:
    if request.format is not None:
        return request.format in _OF_SDKS
    source = request.source
    return isinstance(source, bytes) and (source.startswith(b"QISKIT") or b'"cirq_type"' in source)


def _is_harmless(request: ReadProgram) -> bool:
    return request.format in {None, ProgramFormat.OPENQASM2, ProgramFormat.OPENQASM3} and is_plain(request.source)


def _weight(source: bytes, operations: tuple[Operation, ...]) -> int:
    """About how many bytes a program takes: 250 to 800 for each gate, measured."""
    total = _ENTRY_BYTES + len(source)
    for operation in Circuit(0, (), (), operations).walk():
        total += _OPERATION_BYTES + (48 * len(operation.matrix) if isinstance(operation, Unitary) else 0)
    return total


def _named(program: Program, name: str) -> Program:
    return evolve(program, name=name) if name and name != program.name else program


def _unreadable(found: AntiphonError, cause: str, readers: BoundedCalls) -> ProgramError:
    return ProgramError(
        "The program could not be read within the limits of this server.",
        code="program-unreadable",
        cause=cause,
        next_step="Check that it is complete and not damaged (read it with your own SDK), write it again, "
        "or make it smaller: use loops and gate definitions, or submit it in parts.",
        details={"limit_seconds": readers.seconds, "limit_bytes": readers.memory_bytes, "ended": found.code},
    )


def _busy() -> StoreError:
    return StoreError(
        "The server is reading as many programs as it can.",
        code="readers-busy",
        cause="each is read in a process of its own, and those before this one take their time",
        next_step="Send it again in a few seconds.",
        details={"retry_after_s": 5},
    )
