"""The physical qubits that a fault-tolerant estimate may assume.

Names and figures are those of Microsoft's Resource Estimator: M. E. Beverland et al., "Assessing requirements to scale
to practical quantum advantage", arXiv:2211.07629, table 4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from antiphon.errors import LimitError


@dataclass(frozen=True, slots=True)
class QubitModel:
    """One kind of physical qubit and the code it is used with.

    `build` makes the architecture and the code of the estimator, once its package is imported.
    """

    name: str
    assumptions: str
    build: Callable[[], tuple[Any, Any]]


def _gates(error: float, gate_ns: int, measure_ns: int) -> Callable[[], tuple[Any, Any]]:
    def build() -> tuple[Any, Any]:
        from qdk.qre.models import GateBased, SurfaceCode

        return GateBased(error_rate=error, gate_time=gate_ns, measurement_time=measure_ns), SurfaceCode

    return build


def _majorana(error: float) -> Callable[[], tuple[Any, Any]]:
    def build() -> tuple[Any, Any]:
        from qdk.qre.models import Majorana, ThreeAux

        return Majorana(error_rate=error), ThreeAux

    return build


def _named(name: str, assumptions: str, build: Callable[[], tuple[Any, Any]]) -> tuple[str, QubitModel]:
    return name, QubitModel(name, assumptions, build)


QUBIT_MODELS = dict(
    (
        _named(
            "qubit_gate_ns_e3",
            "superconducting or spin: gates of 50 ns, measurements of 100 ns, errors of 0.001; surface code",
            _gates(1e-3, 50, 100),
        ),
        _named(
            "qubit_gate_ns_e4",
            "superconducting or spin: gates of 50 ns, measurements of 100 ns, errors of 0.0001; surface code",
            _gates(1e-4, 50, 100),
        ),
        _named(
            "qubit_gate_us_e3",
            "trapped ions: gates and measurements of 100 µs, errors of 0.001; surface code",
            _gates(1e-3, 100_000, 100_000),
        ),
        _named(
            "qubit_gate_us_e4",
            "trapped ions: gates and measurements of 100 µs, errors of 0.0001; surface code",
            _gates(1e-4, 100_000, 100_000),
        ),
        _named(
            "qubit_maj_ns_e4",
            "Majorana: measurements of 1 µs, errors of 0.0001, of T 0.05; surface code by measurements of pairs",
            _majorana(1e-4),
        ),
        _named(
            "qubit_maj_ns_e6",
            "Majorana: measurements of 1 µs, errors of 0.000001, of T 0.01; surface code by measurements of pairs",
            _majorana(1e-6),
        ),
    )
)


def qubit_model(name: str) -> QubitModel:
    """The model of that name.

    Raises:
        LimitError: There is none (code "qubit-model-unknown").
    """
    found = QUBIT_MODELS.get(name)
    if found is None:
        raise LimitError(
            f"{name!r} is no model of physical qubits.",
            code="qubit-model-unknown",
            next_step=f"Choose one of {', '.join(QUBIT_MODELS)}.",
            details={"models": list(QUBIT_MODELS)},
        )
    return found
