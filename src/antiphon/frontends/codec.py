"""The front ends as the engine's port sees them: read stored programs back, write compiled circuits down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from antiphon.domain.circuits import Circuit
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.frontends.openqasm_writer import to_openqasm3
from antiphon.frontends.recognise import load_program, to_program


class FrontendCodec:
    """Implements `ports.program_codec.ProgramCodec`."""

    def load(
        self,
        format: ProgramFormat,  # noqa: A002 - the field's own word
        source: bytes,
        *,
        name: str,
        entry_point: str | None,
        arguments: Sequence[Mapping[str, Any]] = (),
    ) -> Program:
        """The program of a stored artefact, with the arguments of a QIR entry point written into it."""
        if arguments:
            from antiphon.frontends.qir_arguments import with_arguments

            source = with_arguments(source, entry_point, arguments)
        return load_program(format, source, name=name, entry_point=entry_point)

    def read(self, source: str | bytes) -> Program:
        """The program in a text or in bytes of any format."""
        return to_program(source)

    def circuit_text(self, circuit: Circuit) -> str:
        """A circuit as OpenQASM 3."""
        return to_openqasm3(circuit)

    def compiled_text(self, program: Program) -> str | None:
        """The compiled circuit as OpenQASM 3, or None for an opaque program."""
        return None if program.circuit is None else to_openqasm3(program.circuit)
