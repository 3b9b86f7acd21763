"""Seconds an engine is expected to take: fitted to measured times, good to an order of magnitude."""

from __future__ import annotations

import math

from antiphon.adapters.targets.sim.channels import expected_errors
from antiphon.adapters.targets.sim.demand import Demand
from antiphon.adapters.targets.sim.features import Features, walk


def lightning_seconds(demand: Demand, features: Features, precision: str) -> float:
    """One state vector on Lightning, then its samples or its values."""
    states = 2.0**features.num_qubits
    size = 8 if precision == "single" else 16
    beyond_cache = 8 if states * size >= 2**24 else 1
    per_gate = 2e-7 + states * size * 1.3e-11 * beyond_cache
    after = states * 5e-9 + (demand.shots or 0) * 3e-7
    if not demand.sampling:
        after += states * min(demand.num_terms, 64) * 1e-9
    return 1e-5 + len(features.gates) * per_gate + after


def qsim_seconds(features: Features) -> float:
    """One state vector on qsim and its samples."""
    states = 2.0**features.num_qubits
    return 2e-3 + len(features.gates) * (2e-5 + states * 3e-10) + states * 5e-9


def trajectory_seconds(demand: Demand, features: Features) -> float:
    """Pauli trajectories on Lightning: one state for each distinct pattern of errors expected."""
    states, shots = 2.0**features.num_qubits, demand.shots or 1
    patterns, gates = error_patterns(demand, features), trajectory_gates(demand, features)
    return patterns * (2e-5 + states * 5e-9) + gates * (4e-7 + states * 2.2e-10) + shots * 1e-6


def error_patterns(demand: Demand, features: Features) -> float:
    """How many different patterns of errors the shots of a noisy program are expected to bring."""
    noise = demand.settings.noise
    assert noise is not None
    errors = expected_errors(features.operations, noise.on(features.qubits))
    return 1 + (demand.shots or 1) * (1 - math.exp(-errors))


def trajectory_gates(demand: Demand, features: Features) -> float:
    """Gates applied in all patterns together; those that begin alike share their beginning."""
    return 0.6 * len(features.gates) * error_patterns(demand, features)


def noisy_branching_seconds(demand: Demand, features: Features) -> float:
    """Shot splitting under noise: one state for each history of errors and measured bits expected."""
    noise, states, shots = demand.settings.noise, 2.0**features.num_qubits, demand.shots or 1
    assert noise is not None
    errors = expected_errors(walk(features.operations), noise.on(features.qubits))
    outcomes = min(shots, 2.0 ** min(features.num_mid, 40)) * (4 if features.has_while else 1)
    histories = min(shots, outcomes + shots * (1 - math.exp(-errors - 0.02 * features.num_mid)))
    steps = len(features.gates) + features.num_mid + 1
    return 1e-4 + histories * (5e-5 + states * 5e-9 + 0.6 * steps * (2e-6 + states * 1e-9))


def aer_seconds(demand: Demand, features: Features) -> float:
    """One state vector on Aer."""
    states = 2.0**features.num_qubits
    return (
        1e-3
        + len(features.gates) * (1e-6 + states * 2e-9)
        + (0 if demand.sampling else demand.num_terms * states * 1e-9)
    )
