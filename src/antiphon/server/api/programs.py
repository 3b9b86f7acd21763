"""Programs of bodies, read by the engine's front ends."""

from __future__ import annotations

import base64
import binascii

from antiphon.domain.evolve import evolve
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.engine.context import EngineContext
from antiphon.errors import ProgramError
from antiphon.server.api.submissions import ProgramBody


def read_program(ctx: EngineContext, body: str | ProgramBody) -> Program:
    """The program of a body.

    Raises:
        ProgramError: It does not parse, or is not what its format says.
        LimitError: It is too large.
        StoreError: Too many programs are being read (code "readers-busy").
        MissingExtraError: The SDK that reads its format is not installed on the server.
    """
    given = ProgramBody(source=body) if isinstance(body, str) else body
    program = _read(ctx, given)
    return evolve(program, name=given.name) if given.name and given.name != program.name else program


def _read(ctx: EngineContext, body: ProgramBody) -> Program:
    if body.format is None:
        return ctx.codec.read(body.source if body.encoding == "utf-8" else _bytes(body))
    return ctx.codec.load(ProgramFormat(body.format), _bytes(body), name="", entry_point=body.entry_point)


def _bytes(body: ProgramBody) -> bytes:
    if body.encoding == "utf-8":
        return body.source.encode()
    try:
        return base64.b64decode(body.source, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProgramError(
            "The source of the program is not base64.",
            cause=str(error),
            next_step='Encode it, or say "encoding": "utf-8" for text.',
        ) from None
