from __future__ import annotations

from typing import Any

import pytest

from antiphon.domain.programs import Program, ProgramFormat
from antiphon.errors import ProgramError
from antiphon.frontends.codec import FrontendCodec
from antiphon.server.api.programs import READ_SIZE, ProgramCache
from antiphon.server.api.submissions import ProgramBody
from programs import BELL


class _Engine:
    """What the cache needs of an engine: a codec, which counts."""

    def __init__(self) -> None:
        self.codec = self
        self.reads = 0

    def load(self, kind: ProgramFormat, source: bytes, *, name: str, entry_point: str | None) -> Program:
        self.reads += 1
        return FrontendCodec().load(kind, source, name=name, entry_point=entry_point)


def body(source: str = BELL, **changes: Any) -> ProgramBody:
    return ProgramBody.model_validate({"format": "openqasm3", "source": source, **changes})


def test_the_same_program_is_read_once_under_any_name() -> None:
    engine: Any = _Engine()
    cache = ProgramCache()
    first, again, named = (cache.read(engine, each) for each in (body(), body(), body(name="mine")))
    assert engine.reads == 1
    assert again is first
    assert (named.name, named.digest, named.circuit) == ("mine", first.digest, first.circuit)


def test_the_least_recently_used_goes_first() -> None:
    engine: Any = _Engine()
    programs = [body(BELL + "// " + "x" * 100 + str(index) + "\n") for index in range(3)]
    size = len(programs[0].source)
    cache = ProgramCache(2 * size * READ_SIZE)
    for index in (0, 1, 0, 2):
        cache.read(engine, programs[index])
    assert engine.reads == 3
    cache.read(engine, programs[0])
    assert engine.reads == 3
    cache.read(engine, programs[1])
    assert engine.reads == 4


def test_what_does_not_fit_is_read_each_time() -> None:
    engine: Any = _Engine()
    cache = ProgramCache(10)
    for _ in range(2):
        assert cache.read(engine, body()).num_qubits == 2
    assert engine.reads == 2


def test_a_refusal_is_not_kept() -> None:
    engine: Any = _Engine()
    cache = ProgramCache()
    for reads in (1, 2):
        with pytest.raises(ProgramError):
            cache.read(engine, body("OPENQASM 3.0; nonsense"))
        assert engine.reads == reads
