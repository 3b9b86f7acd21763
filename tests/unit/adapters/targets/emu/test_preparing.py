from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from antiphon.adapters.targets.emu import driver as driver_module
from antiphon.adapters.targets.emu import preparing
from antiphon.adapters.targets.emu.cache import CompiledCache
from antiphon.adapters.targets.emu.driver import EmuDriver
from antiphon.domain.circuits import Gate, Measure
from antiphon.domain.packed_circuits import PackedCircuit
from antiphon.errors import LimitError
from antiphon.frontends.openqasm_writer import to_openqasm3
from sim_work import circuit_of, counts_of, sampling

BELL = circuit_of(2, 2, Gate("ry", (0,), (0.7,)), Gate("cx", (0, 1)), Measure(0, 0), Measure(1, 1))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every circuit is large; grows by one for each call apart."""
    monkeypatch.setattr(preparing, "LARGE", 0)
    monkeypatch.setattr(driver_module, "SMALL_BYTES", 0)
    return []


@pytest.fixture
def server(asked: list[str], tmp_path: Path) -> EmuDriver:
    def apart(function: Callable[..., Any], *args: Any) -> Any:
        asked.append(function.__name__)
        # As between processes.
        return pickle.loads(pickle.dumps(function(*pickle.loads(pickle.dumps(args)))))

    return EmuDriver("emu.manila", store=CompiledCache(tmp_path / "server"), apart=apart)


def test_what_is_large_comes_back_packed_with_its_text_and_is_the_same(
    server: EmuDriver, asked: list[str], tmp_path: Path
) -> None:
    here = EmuDriver("emu.manila", store=CompiledCache(tmp_path / "here"))
    work = sampling(BELL, shots=300)
    there, plan = server.plan(work), here.plan(work)
    [made] = there.compiled
    assert isinstance(made.made, PackedCircuit)
    assert made.circuit == plan.compiled[0].circuit
    assert made.text == to_openqasm3(made.circuit).encode()
    for told in (there.details["programs"][0], plan.details["programs"][0]):
        told.pop("compile_s")
    assert there.details == plan.details
    assert (there.engine, there.reason, there.cost) == (plan.engine, plan.reason, plan.cost)
    assert counts_of(server.execute(work, there.without_texts())) == counts_of(here.execute(work, plan))
    assert there.without_texts().compiled[0].text is None
    assert plan.without_texts() is plan

    # Planned again when its turn comes, under another seed; more shots are another question.
    assert server.plan(replace(work, pubs=(replace(work.pubs[0], seed=99),))).compiled[0].reused
    assert asked == ["prepare_apart"]
    more = server.plan(sampling(BELL, shots=400))
    assert (more.compiled[0].reused, len(asked)) == (True, 2)
    assert server.assess(work.pubs[0].program, server.calibration(2e9)).layout == made.layout


def test_what_is_refused_apart_is_refused_here(server: EmuDriver, asked: list[str]) -> None:
    wide = EmuDriver("emu.falcon", store=server._store, apart=server._apart)
    gates = [Gate("ry", (qubit,), (0.3,)) for qubit in range(22)]
    pairs = [Gate("cx", (qubit, qubit + 1)) for qubit in range(21)]
    work = sampling(circuit_of(22, 22, *gates, *pairs, *gates, *(Measure(qubit, qubit) for qubit in range(22))))
    for _ in range(2):
        with pytest.raises(LimitError, match="too wide"):
            wide.plan(work)
    assert len(asked) == 2
