"""Emulated devices: topology, native gates and noise of published calibrations, run on the simulators' engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from antiphon.ports.target_driver import TargetDriver


def build_drivers(apart: Callable[..., Any] | None = None) -> dict[str, TargetDriver]:
    """One driver for each emulated device, by name. Imports no SDK.

    Args:
        apart: Calls its first argument with the others in another process: there they compile programs of strangers.
    """
    from antiphon.adapters.targets.emu.declared import declared_drivers

    return dict(declared_drivers(apart))
