"""Programs of strangers on a server that has emulated devices: none of them stops it."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from antiphon.adapters.executors import apart
from antiphon.adapters.executors.apart import WORKERS
from antiphon.adapters.executors.places import MOST_EACH
from antiphon.adapters.targets.emu import compiling
from antiphon.composition import build_engine
from antiphon.domain.work import JobKind
from antiphon.engine.devices import drift_of
from antiphon.engine.requests import PubRequest, SubmitRequest
from antiphon.engine.submit import submit
from antiphon.errors import LimitError
from antiphon.frontends.parameters import bind
from antiphon.frontends.recognise import to_program
from antiphon.ports.on_behalf import on_behalf_of
from served import served


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
        monkeypatch.setattr(engine.compiles.calls, "seconds", 0.5)
        with pytest.raises(LimitError) as found:
            drift_of(engine.ctx, "emu.heron", to_program(wide(20_000)))
        assert found.value.code == "compile-too-long"
    finally:
        engine.close()
    assert apart.CALL_SECONDS <= 60


def test_long_compiles_of_one_workspace_keep_no_other_out(tmp_path: Path) -> None:
    with ThreadPoolExecutor(MOST_EACH) as pool, served(tmp_path / "home") as server:
        compiles = server.services.running.compiles
        assert compiles is not None

        def compile_for_long() -> None:
            with on_behalf_of("greedy"):
                compiles(time.sleep, 600.0)

        compiles.calls.seconds = 0.5
        long = [pool.submit(compile_for_long) for _ in range(MOST_EACH)]
        while compiles.calls._places._taken["greedy"] < MOST_EACH or compiles.calls.num_asked < WORKERS:
            time.sleep(0.005)
        compiles.calls.seconds = 60.0
        small = {"target": "emu.heron", "shots": 10, "program": wide(5)}
        with server.client(workspace="greedy") as greedy, server.client(workspace="modest") as modest:
            refused = greedy.post("/v1/jobs", json=small)
            assert (refused.status_code, refused.json()["code"]) == (503, "compilers-busy")
            assert refused.headers["Retry-After"]
            # It has its turn once one of the two is killed, before those of the other that came first.
            assert modest.post("/v1/jobs", json=small).status_code == 202
        assert sum(each.done() for each in long) <= WORKERS
    assert {getattr(each.exception(), "code", None) for each in long} == {"compile-too-long", "store-closed"}
