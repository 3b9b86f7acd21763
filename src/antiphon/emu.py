"""Emulated devices that live, to be given to a workspace.

    from antiphon import Workspace, emu

    ws = Workspace("./lab", targets=[emu.heron(life="busy", seed=7)])

A device that lives has a queue with other tenants, calibrations between which its figures drift, outages and mishaps,
all following from its seed. The folder remembers it: whoever opens it later meets the same device, until it is made to
stand still again with `emu.heron(life=None)`. The figures of named lives can be changed one by one:
`emu.heron(life="busy", failures=0.5, overhead_s=0.1)`; see `antiphon.domain.policies.life.Life` for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from antiphon.domain.policies.drift import Drift
from antiphon.domain.policies.life import LIVES, Life, LivingDevice, StillDevice, life_named
from antiphon.errors import LimitError

__all__ = [
    "LIVES",
    "Drift",
    "Life",
    "LivingDevice",
    "StillDevice",
    "device",
    "falcon",
    "heron",
    "ion",
    "manila",
    "willow",
]


def device(
    target: str, life: str | Life | None = "quiet", *, seed: int = 0, **figures: Any
) -> LivingDevice | StillDevice:
    """An emulated device with a life; None is one that stands still.

    Args:
        target: Its name, e.g. "emu.heron".
        life: "quiet", "busy", "bad-day", or a `Life` of your own.
        seed: Another seed is another history.
        figures: Fields of the life to change; `drift=` may be a mapping of fields of `Drift`.

    Raises:
        NotFoundError: There is no such life (code "life-unknown").
        LimitError: A figure is none of a life (code "life-invalid").
    """
    if life is None:
        return StillDevice(target)
    chosen = life_named(life) if isinstance(life, str) else life
    try:
        if isinstance(figures.get("drift"), Mapping):
            figures["drift"] = replace(chosen.drift, **figures["drift"])
        if "others_per_hour" in figures:
            figures["others_per_hour"] = tuple(map(float, figures["others_per_hour"]))
        chosen = replace(chosen, **figures)
    except TypeError as error:
        names = ", ".join(field.name for field in fields(Life))
        raise LimitError(
            "A figure of the life is none.", code="life-invalid", cause=str(error), next_step=f"Use {names}."
        ) from None
    return LivingDevice(target, chosen, seed)


def heron(life: str | Life | None = "quiet", *, seed: int = 0, **figures: Any) -> LivingDevice | StillDevice:
    """IBM's 156 qubits, heavy-hex; see `device`."""
    return device("emu.heron", life, seed=seed, **figures)


def falcon(life: str | Life | None = "quiet", *, seed: int = 0, **figures: Any) -> LivingDevice | StillDevice:
    """IBM's 27 qubits, heavy-hex; see `device`."""
    return device("emu.falcon", life, seed=seed, **figures)


def manila(life: str | Life | None = "quiet", *, seed: int = 0, **figures: Any) -> LivingDevice | StillDevice:
    """IBM's 5 qubits in a line; see `device`."""
    return device("emu.manila", life, seed=seed, **figures)


def willow(life: str | Life | None = "quiet", *, seed: int = 0, **figures: Any) -> LivingDevice | StillDevice:
    """Google's 105 qubits, a square grid; see `device`."""
    return device("emu.willow", life, seed=seed, **figures)


def ion(life: str | Life | None = "quiet", *, seed: int = 0, **figures: Any) -> LivingDevice | StillDevice:
    """An ion trap, every pair joined; see `device`."""
    return device("emu.ion", life, seed=seed, **figures)
