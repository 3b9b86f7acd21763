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
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return _two(minutes, 60, "h", "min")
    hours = round(seconds / 3_600)
    return _two(hours, 24, "d", "h") if hours < 10 * 24 else f"{round(hours / 24):,} d"


def _two(count: int, of_large: int, large: str, small: str) -> str:
    whole, rest = divmod(count, of_large)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"
