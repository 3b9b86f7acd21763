"""Reading stored programs back, and writing down what was compiled, without the engine knowing any SDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from antiphon.domain.circuits import Circuit
from antiphon.domain.programs import Program, ProgramFormat


class ProgramCodec(Protocol):
    """The front ends, as the engine sees them."""

    def load(
        self,
        format: ProgramFormat,  # noqa: A002 - the field's own word
        source: bytes,
        *,
        name: str,
        entry_point: str | None,
        arguments: Sequence[Mapping[str, Any]] = (),
    ) -> Program:
        """The program of a stored artefact; digest and circuit are those of the first reading.

        Args:
            arguments: Of QIR, those of the entry point, as Azure Quantum writes them: `{"name", "value", "type"}`.
                They become part of the program's source.

        Raises:
            ProgramError: It does not parse, or its arguments do not fit.
            UnsupportedProgramError: It takes no arguments, or one is of a type that cannot be given.
            MissingExtraError: The SDK that reads this format is not installed.
        """
        ...

    def read(self, source: str | bytes) -> Program:
        """The program in a text or in bytes, in whichever of the formats they are.

        Raises:
            ProgramError: None of these, or it does not parse.
            LimitError: It is larger than what is read.
            MissingExtraError: The SDK that reads its format is not installed.
        """
        ...

    def circuit_text(self, circuit: Circuit) -> str:
        """A circuit as OpenQASM 3 text for people and records."""
        ...

    def compiled_text(self, program: Program) -> str | None:
        """The compiled circuit as OpenQASM 3 text for people and records, or None for an opaque program."""
        ...
