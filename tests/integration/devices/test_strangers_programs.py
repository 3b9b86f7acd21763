"""Programs of strangers on a server that has emulated devices: none of them stops it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from antiphon.adapters.executors import apart
from antiphon.adapters.targets.emu import compiling
from antiphon.composition import build_engine
from antiphon.domain.work import JobKind
from antiphon.engine.devices import drift_of
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.errors import LimitError
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program


def wide(gates: int) -> str:
    luck = random.Random(5)
    pairs = [luck.sample(range(100), 2) for _ in range(gates)]
    body = "".join(f"cx q[{a}], q[{b}];" for a, b in pairs)
    return f'OPENQASM 3.0; include "stdgates.inc"; qubit[100] q; bit[100] c; {body} c = measure q;'


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_CACHE", str(tmp_path / "cache"))


def test_a_server_compiles_in_another_process_and_not_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Qiskit's compiler holds the interpreter's lock for many seconds: in the server's process, nothing else would run.
    def never(*_: object, **__: object) -> None:
        pytest.fail("compiled in the server's own process")

    monkeypatch.setattr(compiling, "transpiled", never)
    engine = build_engine(tmp_path / "home", read_apart=True, dispatch=False, workers=0)
    try:
        small = to_program(wide(3))
        pub = PubRequest(small, bind(small, None), 10)
        request = SubmitRequest(workspace="w", who="me", kind=JobKind.SAMPLE, target="emu.heron", pubs=(pub,))
        assert submit(engine.ctx, request).job.provenance["compiled"]
        assert engine.compiles is not None
        monkeypatch.setattr(engine.compiles, "_seconds", 0.5)
        with pytest.raises(LimitError) as found:
            drift_of(engine.ctx, "emu.heron", to_program(wide(20_000)))
        assert found.value.code == "compile-too-long"
    finally:
        engine.close()
    assert apart.CALL_SECONDS <= 60
