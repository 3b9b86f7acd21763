"""What is read by people: a text of its own, in a notebook too."""

from __future__ import annotations

from html import escape


class Shown:
    """Base of values whose `str` is written for people; a notebook shows the same text."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f'<pre style="white-space:pre-wrap">{escape(str(self))}</pre>'


def span(seconds: float) -> str:
    """A length of time in words, with three figures at most."""
    if seconds < 1e-3:
        return "0 s" if seconds <= 0.0 else f"{seconds * 1e6:.3g} µs"
    if seconds < 1.0:
        return f"{seconds * 1e3:.3g} ms"
    if seconds < 120.0:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200.0 else f"{seconds / 3_600:.1f} h"
