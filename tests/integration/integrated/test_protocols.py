"""The same protocol in four languages has the same distribution of outcomes, on every target that runs it."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon import Workspace
from integrated_programs import LANGUAGES, LIMITS, PROTOCOLS, Protocol, same_distribution
from reference_simulator import total_variation
from sim_work import p_value

SHOTS = 4000
SIMULATORS = ("sim.auto", "sim.density_matrix")
DEVICES = ("emu.ion", "emu.heron")
NOISE = 0.12
"""How far the noise of a device may take a protocol; the least of the mistakes is told apart on the same device."""
SCATTER = 0.05
"""How far two samples of a noisy protocol may be apart: each language compiles to another number of gates."""

by_name = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.name)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    folder: Path = tmp_path_factory.mktemp("integrated")
    with Workspace(folder) as opened:
        yield opened


def sampled(workspace: Workspace, target: str, protocol: Protocol, language: str) -> dict[str, int]:
    # A seed of its own for each sample: with one for all, equal circuits have equal counts and nothing is compared.
    seed = zlib.crc32(f"{target} {protocol.name} {language}".encode())
    job = workspace.target(target).submit(protocol.write[language](), shots=SHOTS, seed=seed)
    job.wait(120)
    return protocol.counts(language, job.result().counts)


def mistaken(workspace: Workspace, target: str, protocol: Protocol) -> dict[str, int]:
    job = workspace.target(target).submit(protocol.mistaken(), shots=SHOTS, seed=5)
    job.wait(120)
    return protocol.counts("openqasm", job.result().counts)


@pytest.mark.parametrize("target", SIMULATORS)
@by_name
def test_four_languages_agree_with_what_was_worked_out_and_with_each_other(
    workspace: Workspace, protocol: Protocol, target: str
) -> None:
    found = {language: sampled(workspace, target, protocol, language) for language in LANGUAGES}
    for language, counts in found.items():
        assert p_value(counts, protocol.exact) > 1e-6, (language, counts)
    for first, second in itertools.combinations(LANGUAGES, 2):
        assert same_distribution(found[first], found[second]) > 1e-6, (first, second)


@by_name
def test_a_mistake_is_told_apart(workspace: Workspace, protocol: Protocol) -> None:
    counts = mistaken(workspace, "sim.auto", protocol)
    assert p_value(counts, protocol.exact) < 1e-9
    for language in LANGUAGES:
        assert same_distribution(counts, sampled(workspace, "sim.auto", protocol, language)) < 1e-9


@pytest.mark.parametrize("target", DEVICES)
@by_name
def test_four_languages_agree_on_a_noisy_device(workspace: Workspace, protocol: Protocol, target: str) -> None:
    found = {language: sampled(workspace, target, protocol, language) for language in LANGUAGES}
    wrong = mistaken(workspace, target, protocol)
    for language, counts in found.items():
        distance = total_variation(counts, dict(protocol.exact))
        assert distance < NOISE, (language, counts)
        assert distance < total_variation(wrong, dict(protocol.exact)), language
    for first, second in itertools.combinations(LANGUAGES, 2):
        shares = {key: shots / SHOTS for key, shots in found[second].items()}
        assert total_variation(found[first], shares) < SCATTER, (first, second)


def test_every_protocol_is_said_in_every_language() -> None:
    assert [sorted(protocol.write) for protocol in PROTOCOLS] == [sorted(LANGUAGES)] * len(PROTOCOLS)
    assert {name for name, _ in LIMITS} <= {protocol.name for protocol in PROTOCOLS}
    for protocol in PROTOCOLS:
        assert sum(protocol.exact.values()) == pytest.approx(1.0)
