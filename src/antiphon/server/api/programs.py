"""Programs of bodies, read: each once, since loops submit the same one hundreds of times."""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from collections import OrderedDict

from antiphon.domain.evolve import evolve
from antiphon.domain.programs import Program, ProgramFormat
from antiphon.engine.context import EngineContext
from antiphon.errors import ProgramError
from antiphon.frontends.recognise import to_program
from antiphon.server.api.submissions import ProgramBody

CACHE_BYTES = 64 * 1024 * 1024
READ_SIZE = 64
"""A program that was read takes at most about so many times the memory of its text (40 to 63 for OpenQASM gates)."""


class ProgramCache:
    """Programs by what was sent; the least recently used go first when their text exceeds the room. Thread-safe."""

    def __init__(self, room_bytes: int = CACHE_BYTES) -> None:
        self._room = room_bytes // READ_SIZE
        self._used = 0
        self._lock = threading.Lock()
        self._programs: OrderedDict[bytes, Program] = OrderedDict()

    def read(self, ctx: EngineContext, body: str | ProgramBody) -> Program:
        """The program of a body.

        Raises:
            ProgramError: It does not parse, or is not what its format says.
            LimitError: It is too large.
            MissingExtraError: The SDK that reads its format is not installed on the server.
        """
        given = ProgramBody(source=body) if isinstance(body, str) else body
        key = _key(given)
        with self._lock:
            found = self._programs.get(key)
            if found is not None:
                self._programs.move_to_end(key)
        if found is None:
            found = _read(ctx, given)
            self._keep(key, found)
        return evolve(found, name=given.name) if given.name and given.name != found.name else found

    def _keep(self, key: bytes, program: Program) -> None:
        with self._lock:
            if key in self._programs or len(program.source) > self._room:
                return
            self._programs[key] = program
            self._used += len(program.source)
            while self._used > self._room:
                _, dropped = self._programs.popitem(last=False)
                self._used -= len(dropped.source)


def _key(body: ProgramBody) -> bytes:
    # The name is a label alone, and set on what was read.
    facts = f"{body.format}\0{body.encoding}\0{body.entry_point}\0"
    return hashlib.sha256(facts.encode() + body.source.encode()).digest()


def _read(ctx: EngineContext, body: ProgramBody) -> Program:
    source = _bytes(body)
    if body.format is None:
        return to_program(body.source if body.encoding == "utf-8" else source)
    return ctx.codec.load(ProgramFormat(body.format), source, name="", entry_point=body.entry_point)


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
