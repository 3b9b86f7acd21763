"""The target "best" as users hold it: no place to run, but the wish for whichever fits."""

from __future__ import annotations

from collections.abc import Iterable

from antiphon.client.connection import TargetView
from antiphon.domain.programs import Profile
from antiphon.domain.targets import Limits, TargetInfo
from antiphon.engine.best import BEST, OPTIONS

_HELP = {
    "prefer": "What decides first: fidelity (default), wait or cost.",
    "min_fidelity": "The least expected fidelity.",
    "max_wait": "How long it may wait at most: seconds, or text such as 10min.",
    "max_cost": "What it may cost at most.",
    "candidates": "Names of the targets to choose among; default every device.",
    "currency": "In which costs count, where devices are priced in several.",
    "rates": 'What one unit of other currencies is worth in it, e.g. {"EUR": 1.1}.',
}


def best_view(views: Iterable[TargetView]) -> TargetView:
    """What is known of it before a job is submitted: the most that any target takes."""
    infos = [view.info for view in views]
    limits = Limits(
        max_qubits=max((info.limits.max_qubits for info in infos), default=0),
        max_shots=max((info.limits.max_shots for info in infos), default=0),
    )
    info = TargetInfo(
        name=BEST,
        provider="antiphon",
        kind="choice",
        version="1",
        profile=Profile.UNRESTRICTED,
        limits=limits,
        options={name: _HELP[name] for name in OPTIONS},
        description="Whichever device fits best, chosen when a job is submitted; its record says why.",
    )
    return TargetView(info, 0, 0)
