"""Fault-tolerant estimates by Microsoft's estimator, `qdk.qre` version 3.

It runs where it is called, for as long as the program is large: clients call it where the program is, and no server
runs it for strangers.
"""

from __future__ import annotations

import contextlib
import gc
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from antiphon.adapters.estimators.qdk_text import estimator_text
from antiphon.adapters.estimators.qubit_models import QubitModel, qubit_model
from antiphon.domain.parameters import ParameterSets
from antiphon.domain.programs import Program
from antiphon.domain.resources import FaultTolerant, LogicalCounts, PhysicalResources
from antiphon.errors import LimitError, MissingExtraError, ProgramError

_ONE_AT_A_TIME = threading.Lock()
NS = 1e-9
# How many times slower than it could the program runs. A short one ends before any factory has made its first T state,
# and must wait for it.
AT_ITS_OWN_PACE = [1.0]
SLOWED = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
_WAITS = "The program is shorter than a T factory takes for one state: it is slowed down, and waits for it."


def fault_tolerant(program: Program, parameters: ParameterSets, *, model: str, error_budget: float) -> FaultTolerant:
    """What the program takes with error correction.

    Logical counts are those of qdk's simulator, ways those of `qdk.qre.estimate` with its usual queries: a code of the
    model, round-based T factories in the same code, and the Pareto front of qubits and run time. A program too short
    for any factory is slowed down, and a note says so.

    Args:
        model: One of `QUBIT_MODELS`.
        error_budget: The largest probability that a run may fail with, 0 … 1.

    Raises:
        UnsupportedProgramError: The estimator cannot count the program; says why.
        ProgramError: qdk refuses the text; its own words are the cause.
        LimitError: No such model, or no such probability.
        MissingExtraError: qdk or pandas is not installed.
    """
    chosen = qubit_model(model)
    if not 0.0 < error_budget < 1.0:
        raise LimitError(
            f"error_budget={error_budget!r} is no probability between 0 and 1.",
            code="error-budget-invalid",
            next_step="Give the largest probability that a run may fail with, e.g. 0.001.",
        )
    text, notes = estimator_text(program, parameters)
    counts = _count(text)
    ways, said = _estimate(chosen, counts, error_budget, AT_ITS_OWN_PACE)
    if not ways:
        ways, _ = _estimate(chosen, counts, error_budget, SLOWED)
        notes = (*notes, _WAITS if ways else _why_none(said, error_budget))
    return FaultTolerant(
        qubit_model=chosen.name,
        assumptions=chosen.assumptions,
        error_budget=error_budget,
        logical=LogicalCounts(
            qubits=counts["numQubits"],
            t=counts["tCount"],
            rotations=counts["rotationCount"],
            rotation_depth=counts["rotationDepth"],
            toffoli=counts["cczCount"] + counts["ccixCount"],
            measurements=counts["measurementCount"],
        ),
        ways=tuple(sorted(ways, key=lambda way: (way.qubits, way.runtime_s))),
        notes=notes,
        estimator=f"qdk {metadata.version('qdk')}",
    )


def _count(text: str) -> Any:
    with _dropped_here():
        return _counted(text)


@contextlib.contextmanager
def _dropped_here() -> Iterator[None]:
    """Drop the interpreter in the thread that made it, as it insists on.

    It is in a circle of references, which the collector would find later, in whatever thread it runs. What was made
    while it is off is all in its youngest generation.
    """
    with _ONE_AT_A_TIME:
        was_on = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            gc.collect(0)
            if was_on:
                gc.enable()


def _counted(text: str) -> Any:
    qdk = _qdk()
    # A context of its own: nothing is left in the user's, and its profile does not matter.
    context = qdk.Context(target_profile=qdk.TargetProfile.Unrestricted)
    try:
        context.import_openqasm(text, name="program", program_type=qdk.openqasm.ProgramType.File)
        return context.logical_counts(context.code.qasm_import.program)
    except Exception as error:  # noqa: BLE001 - whatever the estimator raises; its frames would keep the context alive
        refused = str(error).strip()[:2_000]
    raise ProgramError(
        "The estimator does not take the program.",
        code="resources-refused",
        cause=refused,
        next_step="Please report it with the program: what Antiphon reads, its estimator should count.",
    )


def _estimate(
    model: QubitModel, counts: Any, error_budget: float, paces: list[float]
) -> tuple[list[PhysicalResources], str]:
    from qdk import qre
    from qdk.qre.application import OpenQASMApplication
    from qdk.qre.models import RoundBasedFactory

    architecture, code = model.build()
    # The factory distils in the same code: its default is the surface code, whose gates not every model has. For its
    # cache it would make a folder in the user's home, which not everybody may; without, it takes 0.6 s at most.
    nowhere = Path(tempfile.gettempdir())
    factory = RoundBasedFactory.q(code_query=code.q(), use_cache=False, cache_dir=nowhere)
    traces = qre.PSSPC.q() * qre.LatticeSurgery.q(slow_down_factor=paces)
    # It prints when it finds nothing, and stdout is for data.
    with contextlib.redirect_stdout(io.StringIO()) as said:
        table = qre.estimate(
            OpenQASMApplication(counts), architecture, code.q() * factory, traces, max_error=error_budget
        )
    return [_way(entry) for entry in table], said.getvalue()


def _why_none(said: str, error_budget: float) -> str:
    told = next((line.strip() for line in said.splitlines() if line.startswith("The minimum error")), "")
    return f"No code and T factory of the estimator meets an error of {error_budget:g}. {told}"


def _way(entry: Any) -> PhysicalResources:
    # Written out by hand: the table's own JSON turns run times into 0.
    from qdk.qre import instruction_name, property_keys

    factories = {instruction_name(key): found for key, found in entry.factories.items()}
    t = factories.get("T")
    distances = [getattr(entry.source.nodes[root].transform, "distance", None) for root in entry.source.roots]
    return PhysicalResources(
        qubits=int(entry.qubits),
        runtime_s=float(entry.runtime) * NS,
        error=float(entry.error),
        code_distance=next((int(each) for each in distances if each is not None), None),
        compute_qubits=int(entry.properties.get(property_keys.PHYSICAL_COMPUTE_QUBITS, 0)),
        factory_qubits=int(entry.properties.get(property_keys.PHYSICAL_FACTORY_QUBITS, 0)),
        t_factories=0 if t is None else int(t.copies),
        t_states=0 if t is None else int(t.states),
    )


def _qdk() -> Any:
    # qdk reports usage to its vendor unless told not to, and reads this when it is imported.
    os.environ.setdefault("QDK_PYTHON_TELEMETRY", "none")
    try:
        import qdk
        import qdk.openqasm
    except ImportError as error:
        raise MissingExtraError.of("qdk", "resources", "The fault-tolerant estimate") from error
    try:
        import qdk.qre
    except ImportError as error:
        raise MissingExtraError.of("pandas", "resources", "The fault-tolerant estimate") from error
    return qdk
