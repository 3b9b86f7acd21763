"""Whether a mitigation helped, as far as that can be known without the exact value.

"helps" needs two things: the value moved by more than noise explains, and on the sentinel, whose exact value is known,
the same mitigation took away more of the error than noise explains. "harms" says that it added error there, or that the
value is impossible, or that nothing can be said of it. Everything else is "no evidence".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

SIGNIFICANT = 2.0
"""Standard errors."""
IMPOSSIBLE = 3.0
"""Standard errors beyond the observable's range."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value before and after mitigation.

    Attributes:
        shift_stderr: Of their difference, which share shots.
    """

    raw: float
    raw_stderr: float
    mitigated: float
    mitigated_stderr: float
    shift_stderr: float

    @property
    def shift(self) -> float:
        """How far mitigation moved it."""
        return self.mitigated - self.raw


def judge(value: Measurement, low: float, high: float, sentinel: tuple[Measurement, float] | str) -> dict[str, Any]:
    """The verdict on one value, with the figures that led to it and the reason in words.

    Args:
        low, high: Between which the observable lies in every state.
        sentinel: What was measured on the sentinel and its exact value, or why there is none.
    """
    z = _ratio(value.shift, value.shift_stderr)
    figures: dict[str, Any] = {"shift": value.shift, "shift_stderr": value.shift_stderr, "shift_z": z}
    beyond = max(low - value.mitigated, value.mitigated - high)
    if high > low and value.mitigated_stderr >= (high - low) / 2:
        return _said("harms", "its standard error is as wide as the observable's whole range", figures)
    if beyond > IMPOSSIBLE * value.mitigated_stderr + 1e-9 * max(1.0, high - low):
        return _said("harms", "the value lies outside of the range that any state has", {**figures, "beyond": beyond})
    if isinstance(sentinel, str):
        moved = "it moved by more than noise explains" if abs(z) >= SIGNIFICANT else "it did not move beyond noise"
        return _said(
            "no evidence", f"{moved}, and there is no sentinel to say whether to the better: {sentinel}", figures
        )
    known, exact = sentinel
    before, after = known.raw - exact, known.mitigated - exact
    same_side = before * after >= 0
    stderr = known.shift_stderr if same_side else known.raw_stderr + known.mitigated_stderr
    gained = abs(before) - abs(after)
    gain_z = _ratio(gained, stderr)
    figures["sentinel"] = {
        "exact": exact,
        "raw": known.raw,
        "raw_stderr": known.raw_stderr,
        "mitigated": known.mitigated,
        "mitigated_stderr": known.mitigated_stderr,
        "error_before": abs(before),
        "error_after": abs(after),
        "gain": gained,
        "gain_z": gain_z,
    }
    if gain_z <= -SIGNIFICANT:
        return _said("harms", "on the sentinel it added more error than noise explains", figures)
    if gain_z < SIGNIFICANT:
        return _said("no evidence", "on the sentinel it took away no more error than noise explains", figures)
    if abs(z) < SIGNIFICANT:
        return _said(
            "no evidence", "it helped the sentinel, but moved this value no farther than noise explains", figures
        )
    return _said("helps", "it moved the value beyond noise, and the sentinel nearer to its exact value", figures)


def overall(verdicts: list[dict[str, Any]]) -> str:
    """One word for many values: "harms" if any is harmed, "helps" if any is helped."""
    found = {each["verdict"] for each in verdicts}
    return next((word for word in ("harms", "helps") if word in found), "no evidence")


def _said(verdict: str, why: str, figures: dict[str, Any]) -> dict[str, Any]:
    return {"verdict": verdict, "why": why, **figures}


def _ratio(value: float, stderr: float) -> float:
    """Value over its standard error, finite so that JSON can hold it."""
    if stderr > 0.0 and math.isfinite(stderr):
        return max(-1e9, min(1e9, value / stderr))
    return 0.0 if abs(value) < 1e-12 else math.copysign(1e9, value)
