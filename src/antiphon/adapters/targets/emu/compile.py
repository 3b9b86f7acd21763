"""Compile a program for a device once: laid out, routed, in native gates, with its waiting times, kept by content."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata

from antiphon.adapters.targets.emu.cache import CompiledCache, Kept
from antiphon.adapters.targets.emu.schedule import schedule
from antiphon.adapters.targets.emu.settings import CompileSettings, level_for
from antiphon.adapters.targets.sim.driver import features_for
from antiphon.domain.calibrations import Calibration
from antiphon.domain.circuits import Circuit
from antiphon.domain.programs import Program
from antiphon.errors import MissingExtraError, UnsupportedProgramError

REVISION = 1
"""Raised whenever the same program could be compiled to another circuit by the same Qiskit."""

_cache = CompiledCache()


def own_cache() -> CompiledCache:
    """The user's own, shared by all drivers of this process."""
    return _cache


@dataclass(frozen=True, slots=True)
class Done:
    """A compiled program: the key it is kept under, the level of compiling, and whether it was there before."""

    key: str
    kept: Kept
    level: int
    reused: bool


def compiled(
    program: Program,
    calibration: Calibration,
    settings: CompileSettings,
    *,
    all_to_all: bool,
    store: CompiledCache | None = None,
) -> Done:
    """The program compiled for the device under that calibration, from the cache where it is there.

    A program with free parameters is compiled once for all of their values.

    Args:
        all_to_all: Every pair of the device's qubits is joined.
        store: Another cache than the user's own.

    Raises:
        UnsupportedProgramError: It has no circuit, or the compiler found no way to put it on the device.
        MissingExtraError: Qiskit is not installed.
    """
    circuit = circuit_of(program, calibration.target)
    store = _cache if store is None else store
    settings, level = with_level(program, settings)
    key = compile_key(program, calibration, settings)
    found = store.get(key)
    if found is not None:
        return Done(key, found, level, reused=True)
    kept = compile_circuit(circuit, calibration, settings, level, all_to_all=all_to_all)
    store.put(key, kept)
    return Done(key, kept, level, reused=False)


def is_kept(
    program: Program, calibration: Calibration, settings: CompileSettings, store: CompiledCache | None = None
) -> bool:
    """Whether `compiled`, whose arguments these are, would find the program compiled; it must be a circuit."""
    settings, _ = with_level(program, settings)
    return (_cache if store is None else store).has(compile_key(program, calibration, settings))


def circuit_of(program: Program, target: str) -> Circuit:
    """The circuit of a program, for a target that runs nothing else.

    Raises:
        UnsupportedProgramError: It has none (code "program-not-a-circuit").
    """
    if program.circuit is None:
        raise UnsupportedProgramError(
            f"{target} runs circuits, and this program is none.",
            code="program-not-a-circuit",
            cause=program.opaque_because,
            next_step="Use sim.auto, or write the program without what the cause names.",
            details={"target": target},
        )
    return program.circuit


def with_level(program: Program, settings: CompileSettings) -> tuple[CompileSettings, int]:
    """The settings with the level of compiling that suits the program, unless they have one; and that level."""
    level = settings.optimization_level
    if level is None:
        features = features_for(program)
        assert features is not None
        level = level_for(features)
    return replace(settings, optimization_level=level), level


def compile_key(program: Program, calibration: Calibration, settings: CompileSettings) -> str:
    """Names what compiling gives: everything it depends on, hashed."""
    about = {
        "revision": REVISION,
        "versions": _versions(),
        "program": program.digest,
        "entry_point": program.entry_point,
        "calibration": calibration.digest,
        "settings": settings.to_json(),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


@cache
def _versions() -> dict[str, str]:
    found = {}
    for package in ("qiskit", "antiphon"):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = ""
    return found


def compile_circuit(
    circuit: Circuit, calibration: Calibration, settings: CompileSettings, level: int, *, all_to_all: bool
) -> Kept:
    """Compile it now, and keep nothing.

    Raises:
        UnsupportedProgramError: The compiler found no way to put it on the device.
        MissingExtraError: Qiskit is not installed.
    """
    try:
        from antiphon.adapters.targets.emu.compiling import transpiled
    except ImportError as error:
        raise MissingExtraError.of("qiskit", "sims", f"compiling for {calibration.target}") from error
    began = time.perf_counter()
    physical, start, end = transpiled(
        circuit,
        calibration,
        all_to_all=all_to_all,
        optimization_level=level,
        seed=settings.seed,
        layout=settings.layout,
    )
    timed = schedule(physical.operations, calibration)
    return Kept(
        replace(physical, operations=timed.operations),
        start,
        end,
        time.perf_counter() - began,
        timed.seconds,
        tuple(sorted(timed.waits.items())),
    )
