"""The options that emulated devices understand, read from JSON values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from antiphon.adapters.targets.sim.features import Features
from antiphon.domain.targets import option_refusal

_LEVELS = (0, 1, 2, 3)

OPTION_HELP = {
    "optimization_level": "How hard Qiskit's compiler tries, 0 to 3; default 2, and 1 for Clifford circuits, which "
    "stay Clifford. 0 changes no more than the device needs.",
    "layout": "Physical qubits to begin on, one for each qubit of the program; default the compiler's choice.",
    "compile_seed": "Seed of the compiler's search, an integer from 0; default 0.",
    "calibration": "The snapshot to run under, by its digest or its date (2025-02-26); default the newest.",
}


@dataclass(frozen=True, slots=True)
class CompileSettings:
    """What compiling depends on beside program and calibration. The level None is chosen by the program."""

    optimization_level: int | None = None
    seed: int = 0
    layout: tuple[int, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        layout = None if self.layout is None else list(self.layout)
        return {"optimization_level": self.optimization_level, "compile_seed": self.seed, "layout": layout}


def read_settings(options: Mapping[str, Any], num_qubits: int, target: str) -> CompileSettings:
    """Check and read the options that concern the compiler.

    Args:
        num_qubits: How many the device has.

    Raises:
        UnsupportedProgramError: An option is unknown to the target, or its value is not of the kind it takes.
    """
    for name in options:
        if name not in OPTION_HELP:
            close = difflib.get_close_matches(name, OPTION_HELP, n=1)
            way_out = f"Did you mean {close[0]!r}?" if close else f"`antiphon targets show {target}` lists its options."
            if name == "noise":
                way_out = "Leave it out: the device has the noise of its calibration. sim.auto takes any."
            raise option_refusal(target, name, f"{target} has no option {name!r}", way_out)
    level = options.get("optimization_level")
    if level is not None and (isinstance(level, bool) or level not in _LEVELS):
        raise option_refusal(target, "optimization_level", f"it is {level!r}", "Give 0, 1, 2 or 3.")
    seed = options.get("compile_seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise option_refusal(target, "compile_seed", f"it is {seed!r}", "Give an integer from 0 to below 2**32.")
    layout = options.get("layout")
    if layout is not None:
        whole = isinstance(layout, list | tuple) and all(type(qubit) is int for qubit in layout)
        if not whole or len(set(layout)) != len(layout) or not all(0 <= qubit < num_qubits for qubit in layout):
            way_out = f"Give distinct numbers of qubits from 0 to {num_qubits - 1}, one for each of the program's."
            raise option_refusal(target, "layout", f"it is {layout!r}", way_out)
    return CompileSettings(level, seed, None if layout is None else tuple(layout))


def level_for(features: Features) -> int:
    """The level that measured best.

    2 leaves the fewest two-qubit gates, but writes blocks of a Clifford circuit anew in gates that are none; and a
    circuit that stays Clifford is sampled with noise at any width.
    """
    return 1 if features.may_be_clifford and not features.is_parametric else 2
