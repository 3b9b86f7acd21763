"""What using the emulated machines themselves costs, as their vendors have published it; emulation charges nothing.

An operator gives an emulated device the list of its machine with `antiphon targets prices NAME --published`, so that
quotes, budgets and `advise` speak of what the same work would cost there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IBM: Mapping[str, Any] = {
    "name": "After IBM Quantum's pay-as-you-go plan, 2025: 96 USD for a minute in the machine",
    "currency": "USD",
    "per_second": 1.6,
    "session_per_second": 1.6,
}

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "emu.heron": _IBM,
    "emu.falcon": _IBM,
    "emu.manila": _IBM,
    "emu.ion": {
        # HQC = 5 + shots · (one-qubit gates + 10 · two-qubit gates + 5 · measurements) / 5000
        "name": "After Quantinuum's System Model H2 on Azure Quantum, December 2024, in its credits (HQC)",
        "currency": "HQC",
        "per_task": 5.0,
        "per_one_qubit_gate": 0.0002,
        "per_two_qubit_gate": 0.002,
        "per_measurement": 0.001,
        "task_unit": "program",
        "when_failed": "nothing",
    },
}
"""By target; Google publishes no price of Willow."""
