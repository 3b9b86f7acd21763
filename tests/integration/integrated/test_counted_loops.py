"""Loops that count without a bound have one distribution in every language, on every target that runs them."""

from __future__ import annotations

import itertools
import random
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from antiphon import Workspace
from antiphon.adapters.targets.sim.engines.qir import tallied
from antiphon.errors import UnsupportedProgramError
from antiphon.frontends.qir import program_from_qir
from counted_programs import COUNTED, LANGUAGES, Counted
from integrated_programs import same_distribution
from qsharp_programs import compiled
from reference_simulator import total_variation
from sim_work import p_value

SHOTS = {"sim.auto": 4000, "sim.density_matrix": 1000, "emu.manila": 2000}
NOISE = 0.12

by_name = pytest.mark.parametrize("program", COUNTED, ids=lambda program: program.name)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder: Path = tmp_path_factory.mktemp("counted")
    with Workspace(folder) as opened:
        yield opened


@cache
def written(number: int, language: str) -> Any:
    return COUNTED[number].write[language]()


def sampled(workspace: Workspace, target: str, program: Counted, language: str) -> dict[str, int]:
    seed = zlib.crc32(f"{target} {program.name} {language}".encode())
    job = workspace.target(target).submit(written(COUNTED.index(program), language), shots=SHOTS[target], seed=seed)
    job.wait(120)
    return program.counts(job.result().counts)


@pytest.mark.parametrize("target", SHOTS)
@by_name
def test_all_languages_agree(workspace: Workspace, program: Counted, target: str) -> None:
    found = {language: sampled(workspace, target, program, language) for language in LANGUAGES}
    for language, counts in found.items():
        if target.startswith("sim."):
            assert p_value(counts, program.exact) > 1e-6, (language, counts)
        else:
            assert total_variation(counts, dict(program.exact)) < NOISE, (language, counts)
    if target.startswith("sim."):
        for first, second in itertools.combinations(LANGUAGES, 2):
            assert same_distribution(found[first], found[second]) > 1e-6, (first, second)


def test_the_two_programs_are_told_apart(workspace: Workspace) -> None:
    returned, decides = COUNTED
    for language in LANGUAGES:
        assert p_value(sampled(workspace, "sim.auto", decides, language), returned.exact) < 1e-9


def test_it_runs_as_a_circuit_and_not_shot_by_shot(workspace: Workspace) -> None:
    for program in COUNTED:
        job = workspace.target("sim.auto").submit(written(COUNTED.index(program), "qsharp"), shots=1000, seed=1)
        assert job.record["provenance"]["engine"] == "branching"


def random_loop(seed: int) -> str:
    """A Q# loop that computes with integers which have no bound in the text."""
    rng = random.Random(seed)

    def value() -> str:
        return rng.choice(["a", "b", str(rng.randint(-9, 9))])

    def step() -> str:
        name = rng.choice("ab")
        by = rng.choice([2, 3, 5, -4])
        return rng.choice(
            [
                f"{name} += {value()} + {rng.randint(1, 7)};",
                f"{name} -= {value()};",
                f"{name} = {rng.choice('ab')} * {rng.randint(-3, 5)};",
                f"{name} = {name} / {by};",
                f"{name} = {rng.choice('ab')} % {by};",
                f"{name} = ({name} ^^^ {value()}) &&& {rng.randint(1, 255)};",
                f"{name} = {name} <<< {rng.randint(1, 3)};",
                f"{name} = {name} >>> {rng.randint(1, 3)};",
            ]
        )

    test = f"{value()} {rng.choice(['<', '<=', '==', '!=', '>'])} {value()}"
    steps = " ".join(step() for _ in range(rng.randint(1, 3)))
    other = " ".join(step() for _ in range(rng.randint(0, 2)))
    return f"""operation Main() : (Int, Int, Result) {{
        use (q, t) = (Qubit(), Qubit());
        mutable a = {rng.randint(-5, 5)}; mutable b = {rng.randint(-5, 5)}; mutable go = true;
        while go {{
            H(q); if M(q) == One {{ {steps} }} else {{ {other} a += 1; }}
            if {test} {{ X(t); b += 3; }}
            Reset(q); Ry(1.2, q); go = MResetZ(q) == Zero;
        }}
        Reset(q);
        return (a, b, MResetZ(t)); }}"""


@pytest.mark.parametrize("seed", [2, 12, 13])
def test_random_loops_agree_with_the_interpreter(workspace: Workspace, seed: int) -> None:
    from qdk import simulation

    text = random_loop(seed)
    source = compiled(text, "Adaptive")
    job = workspace.target("sim.auto").submit(source, shots=4000, seed=seed)
    job.wait(120)
    assert job.record["provenance"]["engine"] == "branching", text
    ours = dict(job.result().counts)
    theirs = tallied(simulation.run_qir(source.decode(), shots=4000, seed=77 + seed, type="cpu"))[0]
    assert same_distribution(ours, theirs) > 1e-6, text


def test_a_counter_nobody_reads_costs_nothing() -> None:
    loop = (
        "use q = Qubit(); mutable n = 0; mutable x = 0.5; mutable go = true; while go {{ H(q); {} go = M(q) == One; }}"
    )
    bare = f"operation Main() : Result {{ {loop.format('')} return MResetZ(q); }}"
    counts = f"operation Main() : Result {{ {loop.format('n += 1; x = x * 1.5;')} return MResetZ(q); }}"
    first, second = (program_from_qir(compiled(text, "Adaptive")).circuit for text in (bare, counts))
    assert first is not None
    assert first == second


def test_an_angle_from_a_count_without_a_bound_is_refused_with_its_place(workspace: Workspace) -> None:
    text = "OPENQASM 3.0; qubit q; bit c = true; int n = 0;\nwhile (c) { n += 1; c = measure q; }\nrx(0.1 * n) q;"
    with pytest.raises(UnsupportedProgramError, match="line 3") as caught:
        workspace.target("sim.auto").submit(text.replace("3.0;", '3.0; include "stdgates.inc";'), shots=10)
    assert "a number without a bound" in caught.value.message
    bounded = text.replace("int n", "uint[4] n").replace("3.0;", '3.0; include "stdgates.inc"; output bit o;')
    counts = workspace.target("sim.auto").submit(bounded + " o = measure q;", shots=1000, seed=1).result().counts
    assert sum(counts.values()) == 1000
